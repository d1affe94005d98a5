//! Prompts: taken apart, built, and judged as the service judges them.

/// What begins a human's turn in a prompt.
pub const HUMAN_PROMPT: &str = "\n\nHuman:";
/// What begins the assistant's turn in a prompt.
pub const AI_PROMPT: &str = "\n\nAssistant:";

const FIRST: &str = r#"prompt must start with "\n\nHuman:" turn after an optional system prompt"#;
const LAST: &str = r#"prompt must end with "\n\nAssistant:" turn"#;

/// A turn: its role, and its text as it stands after the marker.
#[derive(Debug, PartialEq)]
pub struct Turn<'a> {
    pub role: &'static str,
    pub text: &'a str,
}

impl<'a> Turn<'a> {
    /// Returns the text without the space that belongs to the marker.
    pub fn content(&self) -> &'a str {
        self.text.strip_prefix(' ').unwrap_or(self.text)
    }
}

/// Returns where the next marker begins, and which it is.
fn next_marker(text: &str) -> Option<(usize, &'static str)> {
    [HUMAN_PROMPT, AI_PROMPT]
        .into_iter()
        .filter_map(|marker| text.find(marker).map(|at| (at, marker)))
        .min()
}

/// Takes a prompt apart into system text and turns, without judging or changing it.
pub fn parse(prompt: &str) -> (&str, Vec<Turn<'_>>) {
    let mut turns = vec![];
    let Some((start, mut marker)) = next_marker(prompt) else {
        return (prompt, turns);
    };
    let mut rest = &prompt[start + marker.len()..];
    loop {
        let role = if marker == HUMAN_PROMPT {
            "human"
        } else {
            "assistant"
        };
        let next = next_marker(rest);
        let text = &rest[..next.map_or(rest.len(), |(at, _)| at)];
        turns.push(Turn { role, text });
        let Some((at, following)) = next else {
            return (&prompt[..start], turns);
        };
        rest = &rest[at + following.len()..];
        marker = following;
    }
}

/// Builds a prompt of pairs of role and content, of which the first may have the role `system`.
///
/// # Errors
/// The reason, for an unknown role, system text after a turn, or text that would begin a turn.
pub fn build(turns: &[(&str, &str)], open_turn: bool, allow_markers: bool) -> Result<String, String> {
    let mut prompt = String::new();
    let mut marker = "";
    for (index, (role, content)) in turns.iter().enumerate() {
        marker = match *role {
            "human" | "user" => HUMAN_PROMPT,
            "assistant" => AI_PROMPT,
            "system" if index == 0 => "",
            _ => return Err(format!("turn {index}: role {role}")),
        };
        let begins_turn = marker.is_empty() && content.starts_with("Human:");
        if !allow_markers && (begins_turn || next_marker(content).is_some()) {
            return Err(format!("turn {index}: the text would begin a turn"));
        }
        let space = if marker.is_empty() || content.is_empty() {
            ""
        } else {
            " "
        };
        prompt += &[marker, space, content].concat();
    }
    if open_turn && marker == HUMAN_PROMPT {
        prompt += AI_PROMPT;
    }
    Ok(prompt)
}

/// What the service makes of a prompt.
pub struct Verdict {
    /// Why it would refuse the prompt, and that in its words.
    pub refusal: Option<(&'static str, &'static str)>,
    /// The prompt after what it changes before it looks.
    pub sanitised: String,
}

/// Tells whether the service takes a prompt. The limit in tokens is not looked at.
pub fn validate(prompt: &str) -> Verdict {
    let mut sanitised = prompt.to_owned();
    if prompt.starts_with("Human:") {
        sanitised.insert_str(0, "\n\n");
    }
    if sanitised.trim_end_matches(' ').ends_with(AI_PROMPT) {
        sanitised.truncate(sanitised.trim_end_matches(' ').len());
    }
    let (_, turns) = parse(&sanitised);
    let has = |role| turns.iter().any(|turn| turn.role == role);
    let refusal = if sanitised.is_empty() {
        Some(("empty", "prompt must not be empty"))
    } else if !has("human") {
        Some(("no_human_turn", FIRST))
    } else if turns[0].role != "human" {
        Some(("human_not_first", FIRST))
    } else if !has("assistant") {
        Some(("no_assistant_turn", LAST))
    } else if turns[turns.len() - 1].role != "assistant" {
        Some(("assistant_not_last", LAST))
    } else {
        None
    };
    Verdict { refusal, sanitised }
}
