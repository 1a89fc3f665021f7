# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_dumpa_global_optspecs
    string join \n h/help V/version
end

function __fish_dumpa_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_dumpa_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_dumpa_using_subcommand
    set -l cmd (__fish_dumpa_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c dumpa -n "__fish_dumpa_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dumpa -n "__fish_dumpa_needs_command" -s V -l version -d 'Print version'
complete -c dumpa -n "__fish_dumpa_needs_command" -f -a "load" -d 'Print the rows that tables hold now'
complete -c dumpa -n "__fish_dumpa_needs_command" -f -a "tail" -d 'Print every change that is committed after a position'
complete -c dumpa -n "__fish_dumpa_needs_command" -f -a "position" -d 'Print where the server\'s binary log ends now'
complete -c dumpa -n "__fish_dumpa_needs_command" -f -a "validate-pos" -d 'Tell whether `dumpa tail` can go on from a position'
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l save -d 'Save the snapshot\'s position in the binary log to FILE, once all rows are out' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l schema -d 'Keep the schema history in FILE [default: the file of --save with .schema added]' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l id -d 'Take these columns for the id of a table\'s rows, instead of its primary key' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l generated -d 'Whether content has generated columns, virtual and stored ones' -r -f -a "keep\t''
omit\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l decimal -d 'How to print DECIMAL' -r -f -a "string\t''
number\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l big-int -d 'How to print integers beyond 2^53, which many readers of JSON round' -r -f -a "string\t''
number\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l zero-date -d 'How to print zero dates (0000-00-00)' -r -f -a "null\t''
string\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l progress -d 'Whether to show progress on stderr' -r -f -a "auto\t'If stderr is a terminal and stdout is not'
always\t'Line by line where it cannot be drawn'
never\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -s H -l host -d 'The server\'s name or address [default: localhost]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -s P -l port -d 'The server\'s TCP port [default: 3306]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -s S -l socket -d 'The unix socket of a server on this machine' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -s u -l user -d 'The user to log in as [default: your own name]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -s D -l database -d 'The database of tables that are given without one' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -s p -l password -r
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l ssl-mode -d 'How much TLS to insist on [default: preferred; with --ssl-ca, verify_ca]' -r -f -a "disabled\t''
preferred\t''
required\t''
verify_ca\t''
verify_identity\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l ssl-ca -d 'The authority that the server\'s certificate must come from (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l ssl-cert -d 'Our own certificate, for a server that asks for one (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l ssl-key -d 'The private key of --ssl-cert (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l defaults-file -d 'Read FILE, and no other option file' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l defaults-extra-file -d 'Read FILE too, before ~/.my.cnf' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l connect-timeout -d 'How long connecting may take, as 10s or in seconds [default: 10s]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l no-lock -d 'Take no lock, even if changes may then be lost between the position and the snapshot'
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l schemas -d 'Print each table\'s definition before its rows: ["schema", table, null, {"columns": [...], ...}, null]'
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l no-rows -d 'Print only the definitions'
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -l no-defaults -d 'Read no option file'
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dumpa -n "__fish_dumpa_using_subcommand load" -s V -l version -d 'Print version'
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l from -d 'Where to begin: a file holding a position or a line of `dumpa tail`, LOGFILE:OFFSET, now or earliest' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l until -d 'Where to end: now (what is committed when the run starts), or as for --from' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l save -d 'Save the position reached to FILE, at most once a second and at the end' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l server-id -d 'Announce this replica id to the server, 1 or more [default: a random one]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l schema -d 'Keep the schema history in FILE [default: the file of --save with .schema added]' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l swaps -d 'What to do where another table takes a table\'s name by RENAME, as gh-ost and pt-online-schema-change do' -r -f -a "read-again\t''
continue\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l binlog -d 'Read log files from disk instead of a server\'s log (- is standard input); put TABLEs before it' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l id -d 'Take these columns for the id of a table\'s rows, instead of its primary key' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l generated -d 'Whether content has generated columns, virtual and stored ones' -r -f -a "keep\t''
omit\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l decimal -d 'How to print DECIMAL' -r -f -a "string\t''
number\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l big-int -d 'How to print integers beyond 2^53, which many readers of JSON round' -r -f -a "string\t''
number\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l zero-date -d 'How to print zero dates (0000-00-00)' -r -f -a "null\t''
string\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l progress -d 'Whether to show progress on stderr' -r -f -a "auto\t'If stderr is a terminal and stdout is not'
always\t'Line by line where it cannot be drawn'
never\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -s H -l host -d 'The server\'s name or address [default: localhost]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -s P -l port -d 'The server\'s TCP port [default: 3306]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -s S -l socket -d 'The unix socket of a server on this machine' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -s u -l user -d 'The user to log in as [default: your own name]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -s D -l database -d 'The database of tables that are given without one' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -s p -l password -r
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l ssl-mode -d 'How much TLS to insist on [default: preferred; with --ssl-ca, verify_ca]' -r -f -a "disabled\t''
preferred\t''
required\t''
verify_ca\t''
verify_identity\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l ssl-ca -d 'The authority that the server\'s certificate must come from (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l ssl-cert -d 'Our own certificate, for a server that asks for one (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l ssl-key -d 'The private key of --ssl-cert (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l defaults-file -d 'Read FILE, and no other option file' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l defaults-extra-file -d 'Read FILE too, before ~/.my.cnf' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l connect-timeout -d 'How long connecting may take, as 10s or in seconds [default: 10s]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l allow-missing -d 'Accept tables (and --id) that match nothing: they may be created later, or were dropped'
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l old -d 'Add to the metadata of an update, as "old", what the changed columns held before'
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l schemas -d 'Print a line with the definition of each table before its first rows, and after each statement that changed it'
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l strict -d 'End the run (exit code 4) at an ALTER that changes rows which the log does not repeat'
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l trust-catalog -d 'Believe that tables had the columns they have now'
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -l no-defaults -d 'Read no option file'
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dumpa -n "__fish_dumpa_using_subcommand tail" -s V -l version -d 'Print version'
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l save -d 'Save the position to FILE as well' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l schema -d 'Keep the schema history in FILE [default: the file of --save with .schema added]' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -s H -l host -d 'The server\'s name or address [default: localhost]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -s P -l port -d 'The server\'s TCP port [default: 3306]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -s S -l socket -d 'The unix socket of a server on this machine' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -s u -l user -d 'The user to log in as [default: your own name]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -s D -l database -d 'The database of tables that are given without one' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -s p -l password -r
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l ssl-mode -d 'How much TLS to insist on [default: preferred; with --ssl-ca, verify_ca]' -r -f -a "disabled\t''
preferred\t''
required\t''
verify_ca\t''
verify_identity\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l ssl-ca -d 'The authority that the server\'s certificate must come from (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l ssl-cert -d 'Our own certificate, for a server that asks for one (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l ssl-key -d 'The private key of --ssl-cert (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l defaults-file -d 'Read FILE, and no other option file' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l defaults-extra-file -d 'Read FILE too, before ~/.my.cnf' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l connect-timeout -d 'How long connecting may take, as 10s or in seconds [default: 10s]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -l no-defaults -d 'Read no option file'
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dumpa -n "__fish_dumpa_using_subcommand position" -s V -l version -d 'Print version'
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -l schema -d 'The schema history that the tail will be given [default: the file of WHERE with .schema added]' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -s H -l host -d 'The server\'s name or address [default: localhost]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -s P -l port -d 'The server\'s TCP port [default: 3306]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -s S -l socket -d 'The unix socket of a server on this machine' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -s u -l user -d 'The user to log in as [default: your own name]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -s D -l database -d 'The database of tables that are given without one' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -s p -l password -r
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -l ssl-mode -d 'How much TLS to insist on [default: preferred; with --ssl-ca, verify_ca]' -r -f -a "disabled\t''
preferred\t''
required\t''
verify_ca\t''
verify_identity\t''"
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -l ssl-ca -d 'The authority that the server\'s certificate must come from (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -l ssl-cert -d 'Our own certificate, for a server that asks for one (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -l ssl-key -d 'The private key of --ssl-cert (PEM)' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -l defaults-file -d 'Read FILE, and no other option file' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -l defaults-extra-file -d 'Read FILE too, before ~/.my.cnf' -r -F
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -l connect-timeout -d 'How long connecting may take, as 10s or in seconds [default: 10s]' -r
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -l no-defaults -d 'Read no option file'
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dumpa -n "__fish_dumpa_using_subcommand validate-pos" -s V -l version -d 'Print version'
