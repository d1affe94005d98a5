//! What a reply's headers say: how long to wait, whether to try again, which limits there are.

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::HeaderMap;

/// No wait is longer than a year, in seconds.
const LONGEST: f64 = 366.0 * 24.0 * 3600.0;

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

fn sensible(seconds: f64) -> Option<f64> {
    (seconds > 0.0 && seconds <= LONGEST).then_some(seconds)
}

/// Returns the seconds that the service asks to wait, or None where it asks nothing sensible.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<f64> {
    if let Ok(milliseconds) = text(headers, "retry-after-ms").parse::<f64>() {
        return sensible(milliseconds / 1000.0);
    }
    let value = text(headers, "retry-after");
    if let Ok(seconds) = value.parse::<f64>() {
        return sensible(seconds);
    }
    let date = rfc2822::parse(value).ok()?.timestamp();
    sensible(date.duration_since(now).as_secs_f64())
}

/// Returns the seconds before another attempt, or None where there shall be none.
///
/// `status` is None where the connection failed before a reply, `random` a random number from 0 to 1.
pub fn retry_wait(
    status: Option<u16>,
    headers: &HeaderMap,
    retries_taken: u32,
    random: f64,
    now: Timestamp,
) -> Option<f64> {
    let by_status = status.is_none_or(|status| matches!(status, 408 | 409 | 429 | 500..));
    let again = match text(headers, "x-should-retry") {
        "true" => true,
        "false" => false,
        _ => by_status,
    };
    let backoff = (0.5 * 2f64.powi(retries_taken.min(9) as i32)).min(8.0) * (1.0 - 0.25 * random);
    again.then(|| retry_after(headers, now).unwrap_or(backoff))
}

/// One limit; what the headers do not say is None.
#[derive(Debug)]
pub struct RateLimit {
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
    /// When the limit is full again.
    pub reset: Option<Timestamp>,
}

/// Returns the limit of `requests`, `tokens`, `input-tokens` or `output-tokens`; None where nothing is told of it.
pub fn rate_limit(headers: &HeaderMap, kind: &str) -> Option<RateLimit> {
    let part = |part| text(headers, &format!("anthropic-ratelimit-{kind}-{part}"));
    let (limit, remaining, reset) = (part("limit"), part("remaining"), part("reset"));
    (limit.len() + remaining.len() + reset.len() > 0).then(|| RateLimit {
        limit: limit.parse().ok(),
        remaining: remaining.parse().ok(),
        reset: reset.parse().ok(),
    })
}
