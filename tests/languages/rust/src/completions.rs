//! Text completions, plain and streamed, through the generated client.

use async_stream::try_stream;
use futures_util::{Stream, StreamExt};
use progenitor_client::ByteStream;
use reqwest::{
    StatusCode,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde_json::{Map, Value};
use sse_stream::{Sse, SseByteStream};

use crate::headers::retry_after;

/// The generated client and its types.
pub mod api {
    #![allow(dead_code)]
    include!(concat!(env!("OUT_DIR"), "/api.rs"));
}
pub use api::types::{Completion, CompletionChunk, CompletionRequest};

/// What went wrong.
#[derive(Debug)]
pub struct Error {
    /// The API's error type, or `unknown`, `invalid` (no completion), `incomplete` (cut off), `not_sent`.
    pub kind: String,
    /// The API's own words, where there are any.
    pub message: Option<String>,
    pub status: Option<StatusCode>,
    pub request_id: Option<String>,
    /// In seconds.
    pub retry_after: Option<f64>,
    pub source: Option<Box<dyn std::error::Error>>,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {}",
            self.kind,
            self.message.as_deref().unwrap_or("no message")
        )
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref()
    }
}

/// Who asks.
#[derive(Default)]
pub struct Credentials<'a> {
    pub api_key: Option<&'a str>,
    pub auth_token: Option<&'a str>,
}

/// What goes into headers besides.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    pub betas: &'a [&'a str],
    pub workspace_id: Option<&'a str>,
}

pub struct Completions {
    client: api::Client,
}

impl Completions {
    /// `base_url` is `https://api.anthropic.com`, or where else the service is.
    pub fn new(base_url: &str, credentials: &Credentials) -> Result<Self, Box<dyn std::error::Error>> {
        let mut headers = HeaderMap::new();
        if let Some(key) = credentials.api_key {
            headers.insert("x-api-key", secret(key)?);
        }
        if let Some(token) = credentials.auth_token {
            headers.insert(AUTHORIZATION, secret(&format!("Bearer {token}"))?);
        }
        let client = reqwest::Client::builder().default_headers(headers).build()?;
        Ok(Self {
            client: api::Client::new_with_client(base_url, client),
        })
    }

    /// Returns the whole completion.
    pub async fn create(
        &self,
        request: &CompletionRequest,
        options: Options<'_>,
    ) -> Result<Completion, Error> {
        let (about, body) = self.send(request, options).await?;
        let body = about.read(body).await?;
        if about.holds_error(&body) {
            return Err(about.api_error(&body));
        }
        about.completion(&body)
    }

    /// Yields the chunks as they come; an error last, where the stream brings one or ends before the text.
    pub fn stream(
        &self,
        mut request: CompletionRequest,
        options: Options<'_>,
    ) -> impl Stream<Item = Result<CompletionChunk, Error>> {
        request.stream = Some(true);
        try_stream! {
            let (about, body) = self.send(&request, options).await?;
            if !about.is_event_stream() {
                // A completion or an error as JSON, in place of the stream.
                let body = about.read(body).await?;
                if about.holds_error(&body) {
                    Err(about.api_error(&body))?;
                }
                let completion = about.completion(&body)?;
                yield about.chunk(&body)?;
                if completion.stop_reason.is_none() {
                    Err(about.error("incomplete", None))?;
                }
                return;
            }
            let mut complete = false;
            let mut events = SseByteStream::new(body.into_inner());
            while let Some(event) = events.next().await {
                let event = event.map_err(|error| about.error("incomplete", Some(error.into())))?;
                if let Some(chunk) = about.chunk_of(&event)? {
                    complete |= chunk.stop_reason.as_ref().is_some_and(|reason| reason.is_some());
                    yield chunk;
                }
            }
            if !complete {
                Err(about.error("incomplete", None))?;
            }
        }
    }

    /// Returns a reply with status 200, its body not read yet.
    async fn send(
        &self,
        request: &CompletionRequest,
        options: Options<'_>,
    ) -> Result<(About, ByteStream), Error> {
        let betas = (!options.betas.is_empty()).then(|| options.betas.join(","));
        let sent =
            self.client
                .create_completion(betas.as_deref(), "2023-06-01", options.workspace_id, request);
        match sent.await {
            Ok(reply) => {
                let about = About {
                    status: Some(reply.status()),
                    headers: reply.headers().clone(),
                };
                Ok((about, reply.into_inner()))
            }
            Err(progenitor_client::Error::UnexpectedResponse(response)) => {
                let about = About {
                    status: Some(response.status()),
                    headers: response.headers().clone(),
                };
                match response.bytes().await {
                    Ok(body) => Err(about.api_error(&body)),
                    Err(error) => Err(about.error("incomplete", Some(error.into()))),
                }
            }
            Err(error) => Err(About::default().error("no_reply", Some(error.into()))),
        }
    }
}

fn secret(value: &str) -> Result<HeaderValue, reqwest::header::InvalidHeaderValue> {
    let mut header = HeaderValue::from_str(value)?;
    header.set_sensitive(true);
    Ok(header)
}

/// What is known of a reply before its body is read.
#[derive(Default)]
struct About {
    status: Option<StatusCode>,
    headers: HeaderMap,
}

impl About {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn is_event_stream(&self) -> bool {
        let kind = self.header("content-type").unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("");
        kind.trim().eq_ignore_ascii_case("text/event-stream")
    }

    fn error(&self, kind: &str, source: Option<Box<dyn std::error::Error>>) -> Error {
        Error {
            kind: kind.into(),
            message: None,
            status: self.status,
            request_id: self.header("request-id").map(String::from),
            retry_after: retry_after(&self.headers, jiff::Timestamp::now()),
            source,
        }
    }

    /// Makes an error of a body that is, or should be, the API's error object.
    fn api_error(&self, body: &[u8]) -> Error {
        let mut error = self.error("unknown", None);
        // Not api::types::Error, which is refused whole where one of its fields is not what it should be.
        let reply: Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(kind) = reply["error"]["type"].as_str() {
            error.kind = kind.into();
        }
        error.message = reply["error"]["message"].as_str().map(String::from);
        let request_id = reply["request_id"].as_str().map(String::from);
        error.request_id = error.request_id.or(request_id);
        error
    }

    fn invalid(&self, error: serde_json::Error) -> Error {
        self.error("invalid", Some(error.into()))
    }

    async fn read(&self, body: ByteStream) -> Result<Vec<u8>, Error> {
        let mut content = Vec::new();
        let mut pieces = body.into_inner();
        while let Some(piece) = pieces.next().await {
            content.extend(piece.map_err(|error| self.error("incomplete", Some(error.into())))?);
        }
        Ok(content)
    }

    fn object(&self, body: &[u8]) -> Result<Map<String, Value>, Error> {
        serde_json::from_slice(body).map_err(|error| self.invalid(error))
    }

    /// Tells whether a JSON text is an error, whatever the status says.
    fn holds_error(&self, body: &[u8]) -> bool {
        self.object(body)
            .is_ok_and(|fields| fields.get("error").is_some_and(Value::is_object))
    }

    fn completion(&self, body: &[u8]) -> Result<Completion, Error> {
        // Serde takes a field that may be null as null where it is missing.
        if !self.object(body)?.contains_key("stop_reason") {
            return Err(self.error("invalid", None));
        }
        serde_json::from_slice(body).map_err(|error| self.invalid(error))
    }

    fn chunk(&self, data: &[u8]) -> Result<CompletionChunk, Error> {
        serde_json::from_slice(data).map_err(|error| self.invalid(error))
    }

    /// Returns the chunk of an event; None where it has none.
    fn chunk_of(&self, event: &Sse) -> Result<Option<CompletionChunk>, Error> {
        // The crate yields blocks without data too; by the WHATWG's rules they are no events.
        let Some(data) = event.data.as_deref().map(str::as_bytes) else {
            return Ok(None);
        };
        match event.event.as_deref() {
            Some("completion") if self.holds_error(data) => Err(self.api_error(data)),
            Some("completion") => self.chunk(data).map(Some),
            Some("error") => self.object(data).and_then(|_| Err(self.api_error(data))),
            // Without a name: the data itself must tell.
            None | Some("") if data.trim_ascii() == b"[DONE]" => Ok(None), // as gateways add it
            None | Some("") => {
                let fields = self.object(data)?;
                if self.holds_error(data) {
                    return Err(self.api_error(data));
                }
                fields
                    .contains_key("completion")
                    .then(|| self.chunk(data))
                    .transpose()
            }
            Some(_) => Ok(None),
        }
    }
}
