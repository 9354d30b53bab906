//! What stands in a file of certificates: whose they are, and until when they are good.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};

use x509_cert::Certificate;
use x509_cert::der::DecodePem;

use super::finding::Finding;

/// The largest file of certificates that is read: some are bundles of a whole system.
const LONGEST: u64 = 4 << 20;

/// So long before its end a certificate is worth a warning.
const SOON: Duration = Duration::from_secs(14 * DAY);

const DAY: u64 = 24 * 60 * 60;

/// How many of a bundle are told one by one.
const SHOWN: usize = 3;

/// What stands before and behind a certificate in PEM.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Tells of the certificates in a file, which is one of `what`. Where there are many, only those that are not good are told.
pub(super) fn look(what: &str, path: &Path, now: SystemTime) -> Vec<Finding> {
    let certificates = match read(path) {
        Ok(certificates) => certificates,
        Err(trouble) => return vec![Finding::fails(what, format!("{}: {trouble}", path.display()))],
    };
    let count = certificates.len();
    let mut findings = Vec::new();
    if count > SHOWN {
        findings.push(Finding::is(what, format!("{}: {count} certificates", path.display())));
    }
    let told = certificates.iter().map(|certificate| tell(what, path, certificate, now));
    findings.extend(told.filter(|finding| count <= SHOWN || !finding.is_well()));
    findings
}

fn read(path: &Path) -> Result<Vec<Certificate>, String> {
    let mut pem = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut pem));
    read.map_err(|error| format!("cannot be read: {error}"))?;
    let text = String::from_utf8_lossy(&pem);
    // Whatever else is in the file, a key or words for people, is not looked at.
    let blocks = text.split(BEGIN).skip(1).filter_map(|rest| Some(rest.split_once(END)?.0));
    let certificates = blocks.map(|block| Certificate::from_pem(format!("{BEGIN}{block}{END}")));
    match certificates.collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err("has no certificate in PEM; is it the right file?".to_owned()),
    }
}

fn tell(what: &str, path: &Path, certificate: &Certificate, now: SystemTime) -> Finding {
    let certificate = &certificate.tbs_certificate;
    let (from, until) =
        (certificate.validity.not_before.to_system_time(), certificate.validity.not_after.to_system_time());
    let subject = certificate.subject.to_string();
    let whose = if subject.is_empty() { "a certificate without a subject".to_owned() } else { subject };
    let says = |rest: String| format!("{}: {whose}, {rest}", path.display());
    let date = |time: SystemTime| date(time);
    if now > until {
        return Finding::fails(what, says(format!("has expired on {}; renew it", date(until))));
    }
    if now < from {
        return Finding::fails(what, says(format!("is not good before {}; is the clock right?", date(from))));
    }
    let left = until.duration_since(now).unwrap_or_default();
    let days = left.as_secs() / DAY;
    let rest = says(format!("until {} ({days} days)", date(until)));
    if left < SOON { Finding::warns(what, rest) } else { Finding::is(what, rest) }
}

/// A day as `2026-11-22`.
fn date(time: SystemTime) -> String {
    let day = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let date = x509_cert::der::DateTime::from_unix_duration(day);
    date.map_or_else(
        |_| "a day beyond the year 9999".to_owned(),
        |date| format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
    )
}
