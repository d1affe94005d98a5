//! The vectors that need no server: each function returns what is expected and what came.

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use crate::{headers, prompts};

fn headers_of(vector: &Value) -> HeaderMap {
    let fields = vector["headers"].as_object().unwrap();
    fields
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, value.as_str().unwrap().parse().unwrap())
        })
        .collect()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or("")
}

pub fn retry_after(vector: &Value, now: Timestamp) -> (Value, Value) {
    let seconds = headers::retry_after(&headers_of(vector), now);
    (json!(vector["seconds"].as_f64()), json!(seconds))
}

pub fn retry(vector: &Value, now: Timestamp) -> (Value, Value) {
    let status = vector["status"].as_u64().map(|status| status as u16);
    let taken = vector["retries_taken"].as_u64().unwrap_or(0) as u32;
    let random = vector["random"].as_f64().unwrap_or(0.0);
    let wait = headers::retry_wait(status, &headers_of(vector), taken, random, now);
    (json!(vector["wait"].as_f64()), json!(wait))
}

pub fn rate_limits(vector: &Value, _: Timestamp) -> (Value, Value) {
    let headers = headers_of(vector);
    let mut limits = json!({});
    for kind in ["requests", "tokens", "input-tokens", "output-tokens"] {
        limits[kind.replace('-', "_")] = headers::rate_limit(&headers, kind).map_or(Value::Null, |found| {
            let reset = found.reset.map(|time| time.to_string());
            json!({"limit": found.limit, "remaining": found.remaining, "reset": reset})
        });
    }
    (vector["rate_limits"].clone(), limits)
}

pub fn validate(vector: &Value, _: Timestamp) -> (Value, Value) {
    let verdict = prompts::validate(text(vector, "prompt"));
    let (reason, message) = verdict.refusal.unzip();
    let expected = ["ok", "reason", "message", "sanitised"].map(|name| vector[name].clone());
    let actual = json!([reason.is_none(), reason, message, verdict.sanitised]);
    (json!(expected), actual)
}

pub fn parse(vector: &Value, _: Timestamp) -> (Value, Value) {
    let (system, turns) = prompts::parse(text(vector, "prompt"));
    let turns: Vec<Value> = turns
        .iter()
        .map(|turn| json!({"role": turn.role, "text": turn.text, "content": turn.content()}))
        .collect();
    (json!([vector["system"], vector["turns"]]), json!([system, turns]))
}

pub fn build(vector: &Value, _: Timestamp) -> (Value, Value) {
    let turns: Vec<(&str, &str)> = vector["turns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|turn| (text(turn, "role"), text(turn, "content")))
        .collect();
    let open_turn = vector["open_turn"].as_bool().unwrap_or(true);
    let allow_markers = vector["allow_markers"].as_bool().unwrap_or(false);
    // A vector without a prompt is refused.
    let prompt = prompts::build(&turns, open_turn, allow_markers).ok();
    (vector["prompt"].clone(), json!(prompt))
}
