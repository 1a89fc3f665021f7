-- The tables of the benchmarks, and procedures that fill them. Ten columns, as in many a table.
create database bench;
use bench;

-- 1 to 50,000
create table seed (n int primary key);
set session cte_max_recursion_depth = 50000;
insert into seed with recursive s (n) as (select 1 union all select n + 1 from s where n < 50000) select n from s;

create table wide (
    id bigint unsigned primary key,
    n int,
    colour enum('red', 'green', 'blue'),
    price decimal(10, 2),
    body varchar(200),
    made datetime(6),
    seen timestamp null,
    flag tinyint(1),
    x double,
    code char(8)
);
create table wide_again like wide;
create table wide_packed like wide;
create table small like wide;

-- A row made of a number. About 98 bytes in the log, and 300 as a line.
create view rows_of as select
    n,
    n * 7919 % 100000 - 50000 as number,
    n % 3 + 1 as colour,
    n * 31 % 1000000 / 100 as price,
    concat('the quick brown fox "', n, '" jumps over the dogs', repeat('.', n % 10)) as body,
    timestamp '2024-02-29 12:34:56.123456' + interval n * 1237 microsecond as made,
    timestamp '2026-01-01 00:00:00' + interval n second as seen,
    n % 2 as flag,
    n / 7e0 as x,
    lpad(hex(n), 8, '0') as code
from seed;

delimiter //

-- `statements` inserts of 50,000 rows each
create procedure fill(target varchar(64), statements int)
begin
    declare i int default 0;
    while i < statements do
        set @insert = concat('insert into ', target, ' select ', i, ' * 50000 + n, number, colour, price, body, made,',
            ' seen, flag, x, code from rows_of');
        prepare statement from @insert;
        execute statement;
        set i = i + 1;
    end while;
end//

-- `transactions` inserts of one row each
create procedure drip(transactions int)
begin
    declare i int default 0;
    while i < transactions do
        insert into small values (i, i * 7919 % 100000 - 50000, i % 3 + 1, i * 31 % 1000000 / 100,
            concat('the quick brown fox "', i, '" jumps over the dogs'),
            timestamp '2024-02-29 12:34:56.123456' + interval i * 1237 microsecond,
            timestamp '2026-01-01 00:00:00' + interval i second, i % 2, i / 7e0, lpad(hex(i), 8, '0'));
        set i = i + 1;
    end while;
end//
delimiter ;
set global innodb_flush_log_at_trx_commit = 0;
