//! `syslog`: lines of a few servers, with attacks on their SSH doors.
//!
//! Of the stretches of [`STRETCH`] lines, one in six is mostly someone who tries user names at one host; elsewhere every
//! thirtieth line is such a try.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::draw::{Rows, Text};
use super::schedule::Disorder;
use super::{GeneratedColumn, Generator};

pub(super) struct Syslog;

mod lane {
    pub(super) const HOST: u64 = 1;
    pub(super) const KIND: u64 = 2;
    pub(super) const ATTACK: u64 = 3;
    pub(super) const ADDRESS: u64 = 4;
    pub(super) const NUMBER: u64 = 5;
    pub(super) const NAME: u64 = 6;
}

const COLUMNS: [GeneratedColumn; 2] = [("HOST", DataType::Utf8), ("MESSAGE", DataType::Utf8)];

const STRETCH: u64 = 48;

const HOSTS: [&str; 10] =
    ["bastion", "db-01", "db-02", "mail", "proxy-01", "proxy-02", "web-01", "web-02", "web-03", "backup"];
const GUESSES: [&str; 18] = [
    "admin",
    "oracle",
    "test",
    "postgres",
    "ubuntu",
    "git",
    "pi",
    "guest",
    "ftpuser",
    "deploy",
    "jenkins",
    "user1",
    "support",
    "minecraft",
    "hadoop",
    "nagios",
    "tomcat",
    "webmaster",
];
const STAFF: [&str; 6] = ["amara", "deploy-bot", "jonas", "mei", "ravi", "sofia"];
/// Networks that are set aside for documentation.
const NETWORKS: [&str; 3] = ["192.0.2", "198.51.100", "203.0.113"];

impl Generator for Syslog {
    fn name(&self) -> &'static str {
        "syslog"
    }
    fn columns(&self) -> &'static [GeneratedColumn] {
        &COLUMNS
    }
    fn step_ms(&self) -> u32 {
        200
    }
    fn disorder(&self) -> Disorder {
        Disorder { few_per_10k: 50, few_ms_max: 2_000, late_per_10k: 2, late_ms_max: 60_000 }
    }
    fn column(&self, column: usize, rows: &Rows<'_>) -> ArrayRef {
        match column {
            0 => rows.texts(8, |row| host(rows, row)),
            _ => rows.written(72, |row, text| match kind(rows, row) {
                Kind::InvalidUser => invalid_user(rows, row, text),
                Kind::Ssh => ssh(rows, row, text),
                Kind::Daemon => daemon(rows, row, text),
            }),
        }
    }
}

enum Kind {
    InvalidUser,
    Ssh,
    Daemon,
}

fn attacked(rows: &Rows<'_>, row: u64) -> bool {
    rows.lane(lane::ATTACK).at(row / STRETCH).permille(166)
}

fn kind(rows: &Rows<'_>, row: u64) -> Kind {
    let share = if attacked(rows, row) { 650 } else { 33 };
    match rows.lane(lane::KIND).at(row).below(1000) {
        n if n < share => Kind::InvalidUser,
        n if n < share + 150 => Kind::Ssh,
        _ => Kind::Daemon,
    }
}

/// Attacks go on for a stretch: at one host, from one address.
fn place(rows: &Rows<'_>, row: u64) -> u64 {
    let during_attack = attacked(rows, row) && matches!(kind(rows, row), Kind::InvalidUser);
    if during_attack { (row / STRETCH) ^ (1 << 63) } else { row }
}

fn host(rows: &Rows<'_>, row: u64) -> &'static str {
    rows.lane(lane::HOST).at(place(rows, row)).pick(&HOSTS)
}

fn push_address(rows: &Rows<'_>, row: u64, text: &mut Text) {
    let (lane, place) = (rows.lane(lane::ADDRESS), place(rows, row));
    text.push(lane.at(place).pick(&NETWORKS));
    text.push_fmt(format_args!(".{}", 1 + lane.at(place ^ (1 << 62)).below(254)));
}

fn number(rows: &Rows<'_>, row: u64, which: u64, from: u64, to: u64) -> u64 {
    from + rows.lane(lane::NUMBER).at(row ^ (which << 56)).below(to - from)
}

fn invalid_user(rows: &Rows<'_>, row: u64, text: &mut Text) {
    text.push_fmt(format_args!("sshd[{}]: Invalid user ", number(rows, row, 0, 900, 32_000)));
    text.push(rows.lane(lane::NAME).at(row).pick(&GUESSES));
    text.push(" from ");
    push_address(rows, row, text);
    text.push_fmt(format_args!(" port {}", number(rows, row, 1, 30_000, 61_000)));
}

fn ssh(rows: &Rows<'_>, row: u64, text: &mut Text) {
    let name = rows.lane(lane::NAME).at(row).pick(&STAFF);
    text.push_fmt(format_args!("sshd[{}]: ", number(rows, row, 0, 900, 32_000)));
    match number(rows, row, 2, 0, 10) {
        0..5 => text.push_fmt(format_args!("Accepted publickey for {name} from ")),
        5..7 => text.push_fmt(format_args!("Failed password for {name} from ")),
        _ => {
            text.push_fmt(format_args!("pam_unix(sshd:session): session closed for user {name}"));
            return;
        }
    }
    push_address(rows, row, text);
    text.push_fmt(format_args!(" port {} ssh2", number(rows, row, 1, 30_000, 61_000)));
}

fn daemon(rows: &Rows<'_>, row: u64, text: &mut Text) {
    let n = |which, from, to| number(rows, row, which, from, to);
    match n(3, 0, 12) {
        0 => text.push_fmt(format_args!("CRON[{}]: (root) CMD (run-parts /etc/cron.hourly)", n(0, 900, 32_000))),
        1 => text.push_fmt(format_args!("systemd[1]: Started Session {} of user deploy-bot.", n(1, 1, 9_999))),
        2 => text.push("systemd[1]: logrotate.service: Succeeded."),
        3 => text.push_fmt(format_args!(
            "kernel: [{}.{:06}] TCP: request_sock_TCP: Possible SYN flooding on port 443.",
            n(0, 1_000, 900_000),
            n(1, 0, 999_999)
        )),
        4 => text.push_fmt(format_args!(
            "kernel: [{}.{:06}] Out of memory: Killed process {} (java)",
            n(0, 1_000, 900_000),
            n(1, 0, 999_999),
            n(2, 900, 32_000)
        )),
        5 | 6 => text.push_fmt(format_args!(
            "nginx[{}]: GET /flights/MR{} 200 {}",
            n(0, 900, 2_000),
            n(1, 100, 999),
            n(2, 400, 60_000)
        )),
        7 => text.push_fmt(format_args!(
            "nginx[{}]: upstream timed out (110: Connection timed out) while reading response header",
            n(0, 900, 2_000)
        )),
        8 => text.push_fmt(format_args!(
            "postgres[{}]: LOG: checkpoint complete: wrote {} buffers",
            n(0, 900, 2_000),
            n(1, 10, 9_000)
        )),
        9 => text.push_fmt(format_args!(
            "postfix/smtpd[{}]: disconnect from unknown[192.0.2.{}]",
            n(0, 900, 32_000),
            n(1, 1, 254)
        )),
        10 => text.push_fmt(format_args!(
            "dhclient[{}]: DHCPACK of 10.0.{}.{} from 10.0.0.1",
            n(0, 300, 900),
            n(1, 0, 8),
            n(2, 2, 254)
        )),
        _ => text.push_fmt(format_args!("ntpd[{}]: time reset +0.{:06} s", n(0, 300, 900), n(1, 1, 99_999))),
    }
}
