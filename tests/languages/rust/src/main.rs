//! Runs the vectors against the vector server; see ../server.py.

mod completions;
mod headers;
mod local;
mod prompts;

use std::{env, error::Error, fmt::Debug, fs};

use completions::{Completion, CompletionChunk, CompletionRequest, Completions, Credentials, Options};
use futures_util::{StreamExt, TryStreamExt, pin_mut};
use jiff::{Timestamp, fmt::rfc2822};
use prompts::{AI_PROMPT, HUMAN_PROMPT};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

struct Runner {
    server: String,
    passed: usize,
    failures: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut runner = Runner {
        server: env::var("VECTORS_URL")?,
        passed: 0,
        failures: 0,
    };

    let markers: Vec<Value> = load("constants", "markers")?;
    for vector in &markers {
        let marker = match vector["name"].as_str() {
            Some("HUMAN_PROMPT") => HUMAN_PROMPT,
            Some("AI_PROMPT") => AI_PROMPT,
            _ => "",
        };
        let hex: String = marker.bytes().map(|byte| format!("{byte:02x}")).collect();
        runner.compare("markers", vector, vector["hex"].as_str(), Some(hex.as_str()));
    }

    let requests: Vec<Value> = load("requests", "requests")?;
    for (index, vector) in requests.iter().enumerate() {
        // The server answers a wrong request with an error.
        let outcome = runner
            .send(vector, index)
            .await
            .map_err(|error| error.to_string());
        runner.compare("requests", vector, Ok(()), outcome);
    }

    let replies: Vec<Value> = load("replies", "replies")?;
    for (index, vector) in replies.iter().enumerate() {
        let reply = runner.client("replies", index, &Credentials::default())?;
        let actual = match reply.create(&request(), Options::default()).await {
            Ok(completion) => completion_fields(&completion)?,
            Err(error) => error_fields(&error),
        };
        let expected = match vector.get("completion") {
            // What `or` says: serde_json refuses half of a surrogate pair.
            Some(_) if vector.get("or").is_some() => expected_error(&vector["or"], vector),
            Some(completion) => without_nulls(completion),
            None => expected_error(&vector["error"], vector),
        };
        runner.compare("replies", vector, expected, actual);
    }

    let streams: Vec<Value> = load("streams", "streams")?;
    for (index, vector) in streams.iter().enumerate() {
        let client = runner.client("streams", index, &Credentials::default())?;
        let stream = client.stream(request(), Options::default());
        pin_mut!(stream);
        let (mut texts, mut end) = (vec![], Value::Null);
        while let Some(item) = stream.next().await {
            match item {
                Ok(chunk) => {
                    if let Some(reason) = stop_reason(&chunk) {
                        end = json!({"stop_reason": reason, "stop": chunk.stop});
                    }
                    texts.push(chunk.completion);
                }
                Err(error) => end = error_fields(&error),
            }
        }
        let case = vector.get("or").unwrap_or(vector);
        let expected = match case.get("end") {
            Some(end) => end.clone(),
            None => expected_error(&case["error"], vector),
        };
        runner.compare(
            "streams",
            vector,
            (&case["texts"], expected),
            (&json!(texts), end),
        );
    }

    let now: Value = load("retries", "now")?;
    let now = rfc2822::parse(now.as_str().unwrap_or(""))?.timestamp();
    type Check = fn(&Value, Timestamp) -> (Value, Value);
    let groups: [(&str, &str, Check); 6] = [
        ("retries", "retry_after", local::retry_after),
        ("retries", "retries", local::retry),
        ("rate_limits", "rate_limits", local::rate_limits),
        ("prompts", "validate", local::validate),
        ("prompts", "parse", local::parse),
        ("prompts", "build", local::build),
    ];
    for (file, group, check) in groups {
        let vectors: Vec<Value> = load(file, group)?;
        for vector in &vectors {
            let (expected, actual) = check(vector, now);
            runner.compare(group, vector, expected, actual);
        }
    }

    if runner.failures > 0 {
        eprintln!("rust: {} vectors failed", runner.failures);
        std::process::exit(1);
    }
    println!("rust: {} vectors passed", runner.passed);
    Ok(())
}

impl Runner {
    fn client(
        &self,
        group: &str,
        index: usize,
        credentials: &Credentials,
    ) -> Result<Completions, Box<dyn Error>> {
        Completions::new(&format!("{}/{group}/{index}", self.server), credentials)
    }

    async fn send(&self, vector: &Value, index: usize) -> Result<(), Box<dyn Error>> {
        let credentials = Credentials {
            api_key: vector["credentials"]["api_key"].as_str(),
            auth_token: vector["credentials"]["auth_token"].as_str(),
        };
        let mut body: Map<String, Value> = serde_json::from_value(vector["arguments"].clone())?;
        let betas: Vec<String> = body
            .remove("betas")
            .map(serde_json::from_value)
            .transpose()?
            .unwrap_or_default();
        let workspace_id = body.remove("workspace_id");
        let options = Options {
            betas: &betas.iter().map(String::as_str).collect::<Vec<_>>(),
            workspace_id: workspace_id.as_ref().and_then(Value::as_str),
        };
        let request: CompletionRequest = serde_json::from_value(body.into())?;

        let client = self.client("requests", index, &credentials)?;
        if request.stream == Some(true) {
            client
                .stream(request, options)
                .try_for_each(async |_| Ok(()))
                .await?;
        } else {
            client.create(&request, options).await?;
        }
        Ok(())
    }

    fn compare<T: PartialEq + Debug>(&mut self, group: &str, vector: &Value, expected: T, actual: T) {
        if expected == actual {
            self.passed += 1;
        } else {
            self.failures += 1;
            eprintln!(
                "rust: {group}: {}\n  expected {expected:?}\n  got {actual:?}",
                vector["name"]
            );
        }
    }
}

fn load<T: DeserializeOwned>(file: &str, entry: &str) -> Result<T, Box<dyn Error>> {
    let text = fs::read_to_string(format!("{}/{file}.json", env::var("VECTORS")?))?;
    let mut file: Map<String, Value> = serde_json::from_str(&text)?;
    Ok(serde_json::from_value(file.remove(entry).unwrap_or_default())?)
}

fn request() -> CompletionRequest {
    CompletionRequest {
        model: completions::api::types::Model("claude-2.1".into()),
        max_tokens_to_sample: 256.try_into().unwrap(),
        prompt: format!("{HUMAN_PROMPT} Hello, world!{AI_PROMPT}")
            .parse()
            .unwrap(),
        metadata: None,
        stop_sequences: None,
        stream: None,
        temperature: None,
        top_k: None,
        top_p: None,
    }
}

fn stop_reason(chunk: &CompletionChunk) -> Option<&String> {
    chunk.stop_reason.as_ref()?.as_ref()
}

fn completion_fields(completion: &Completion) -> Result<Value, serde_json::Error> {
    Ok(without_nulls(&serde_json::to_value(completion)?))
}

/// An optional field that is null is left out, as the generated types do not tell the two apart.
fn without_nulls(fields: &Value) -> Value {
    let fields = fields
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, value)| !value.is_null());
    Value::Object(
        fields
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

fn error_fields(error: &completions::Error) -> Value {
    json!({
        "kind": error.kind,
        "message": error.message,
        "request_id": error.request_id,
        "retry_after": error.retry_after,
        "status": error.status.map(|status| status.as_u16()),
    })
}

fn expected_error(error: &Value, vector: &Value) -> Value {
    json!({
        "kind": error["kind"],
        "message": error["message"],
        "request_id": error["request_id"],
        "retry_after": error["retry_after"].as_f64(),
        "status": vector["reply"]["status"],
    })
}
