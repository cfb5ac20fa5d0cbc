//! Enough of Rust's syntax to see which paths a file names: tokens without comments and strings, without test modules,
//! with `use` trees spread out. It parses nothing else, and what it does not know it skips.

/// A piece of source with the line it stands on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|character: char| character.is_alphanumeric() || character == '_')
    }
}

/// Words, `::` and single signs. Comments, strings and characters are gone.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let text: Vec<char> = source.chars().collect();
    let at = |index: usize| text.get(index).copied().unwrap_or('\0');
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut tokens = Vec::new();
    let (mut index, mut line) = (0, 1);
    while index < text.len() {
        let start = index;
        let mut token = None;
        match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < text.len() && at(index) != '\n' {
                    index += 1;
                }
            }
            '/' if at(index + 1) == '*' => index = after_comment(&text, index),
            '"' => index = after_string(&text, index),
            '\'' => {
                // `'a'` and `'\n'` are characters; `'a` alone is a lifetime.
                if at(index + 1) == '\\' {
                    index += 3;
                    while index < text.len() && at(index) != '\'' {
                        index += 1;
                    }
                    index += 1;
                } else if at(index + 2) == '\'' {
                    index += 3;
                } else {
                    index += 1;
                }
            }
            character if is_word(character) => {
                while is_word(at(index)) {
                    index += 1;
                }
                let word: String = text[start..index].iter().collect();
                match (word.as_str(), at(index)) {
                    // Raw strings, byte strings and C strings; and raw identifiers, which lose their `r#`.
                    ("b" | "c", '"') => index = after_string(&text, index),
                    ("b", '\'') => {}
                    ("r" | "br" | "cr", '"') => index = after_raw_string(&text, index),
                    ("r" | "br" | "cr", '#') => {
                        let hashes = text[index..].iter().take_while(|character| **character == '#').count();
                        if at(index + hashes) == '"' {
                            index = after_raw_string(&text, index);
                        } else {
                            index += hashes;
                        }
                    }
                    _ => token = Some(word),
                }
            }
            ':' if at(index + 1) == ':' => {
                index += 2;
                token = Some("::".to_owned());
            }
            character => {
                index += 1;
                if !character.is_whitespace() {
                    token = Some(character.to_string());
                }
            }
        }
        if let Some(text) = token {
            tokens.push(Token { text, line });
        }
        line += text[start..index.min(text.len())].iter().filter(|character| **character == '\n').count();
    }
    tokens
}

fn after_comment(text: &[char], mut index: usize) -> usize {
    let mut depth = 0;
    while index < text.len() {
        match (text[index], text.get(index + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                index += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                index += 2;
                if depth == 0 {
                    break;
                }
            }
            _ => index += 1,
        }
    }
    index
}

fn after_string(text: &[char], mut index: usize) -> usize {
    index += 1;
    while index < text.len() && text[index] != '"' {
        index += if text[index] == '\\' { 2 } else { 1 };
    }
    index + 1
}

fn after_raw_string(text: &[char], index: usize) -> usize {
    let hashes = text[index..].iter().take_while(|character| **character == '#').count();
    let mut end = index + hashes + 1;
    while end < text.len() {
        if text[end] == '"' && text[end + 1..].iter().take_while(|character| **character == '#').count() >= hashes {
            return end + 1 + hashes;
        }
        end += 1;
    }
    end
}

/// The tokens without what is compiled for tests only: a `#[cfg(test)]` and the item that follows it.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        if let Some(end) = attribute(tokens, index) {
            if is_for_tests(&tokens[index..end]) {
                index = after_item(tokens, end);
            } else {
                kept.extend_from_slice(&tokens[index..end]);
                index = end;
            }
        } else {
            kept.push(tokens[index].clone());
            index += 1;
        }
    }
    kept
}

/// The names of modules in files of their own that are compiled for tests only: `#[cfg(test)] mod tests;`.
pub(crate) fn test_modules(tokens: &[Token]) -> Vec<String> {
    let mut names = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        let Some(end) = attribute(tokens, index) else {
            index += 1;
            continue;
        };
        if is_for_tests(&tokens[index..end]) {
            let item = &tokens[end..after_item(tokens, end)];
            if let [.., keyword, name, semicolon] = item
                && keyword.text == "mod"
                && semicolon.text == ";"
            {
                names.push(name.text.clone());
            }
        }
        index = end;
    }
    names
}

/// Where the attribute that begins here ends.
fn attribute(tokens: &[Token], index: usize) -> Option<usize> {
    let text = |index: usize| tokens.get(index).map(|token| token.text.as_str());
    (text(index) == Some("#") && text(index + 1) == Some("[")).then(|| matching(tokens, index + 1))
}

/// Whether an attribute means "for tests only": `cfg(test)`, or `cfg(all(test, …))`. `any` and `not` do not.
fn is_for_tests(attribute: &[Token]) -> bool {
    let has = |word: &str| attribute.iter().any(|token| token.text == word);
    has("cfg") && has("test") && !has("not") && !has("any")
}

/// The index after the bracket that closes the one at `index`.
fn matching(tokens: &[Token], mut index: usize) -> usize {
    let mut depth = 0;
    while index < tokens.len() {
        match tokens[index].text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        index += 1;
        if depth == 0 {
            break;
        }
    }
    index
}

/// The index after the item that begins here: its block, or its semicolon.
fn after_item(tokens: &[Token], mut index: usize) -> usize {
    // `use`, `pub use`, `pub(crate) use`: braces after it are a tree and end nothing.
    let is_use = |index: usize| {
        tokens[index..].iter().take(6).take_while(|token| token.text != "{").any(|token| token.text == "use")
    };
    while let Some(end) = attribute(tokens, index) {
        index = end;
    }
    let to_semicolon = index < tokens.len() && is_use(index);
    while index < tokens.len() {
        match tokens[index].text.as_str() {
            ";" => return index + 1,
            "{" if !to_semicolon => return matching(tokens, index),
            "(" | "[" | "{" => index = matching(tokens, index),
            _ => index += 1,
        }
    }
    index
}

/// Words after which `::` begins a path of its own: `use ::a::b`.
const KEYWORDS: [&str; 12] =
    ["use", "impl", "for", "in", "as", "dyn", "mut", "return", "where", "pub", "const", "extern"];

/// A path as it is written, with the inline modules around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    /// Names of the inline modules it stands in, from the outermost.
    pub(crate) within: Vec<String>,
    pub(crate) line: usize,
}

/// Every path of the tokens, `use` trees spread out: `a::{b, c::d}` is `a::b` and `a::c::d`. A rename is a last segment
/// `as`.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut paths = Vec::new();
    let mut modules: Vec<(String, usize)> = Vec::new();
    let mut depth = 0_usize;
    let mut index = 0;
    while index < tokens.len() {
        let token = &tokens[index];
        let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
        match token.text.as_str() {
            "mod" if text(index + 2) == "{" => {
                modules.push((text(index + 1).to_owned(), depth));
                depth += 1;
                index += 3;
                continue;
            }
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                modules.retain(|(_, at)| *at < depth);
            }
            word if token.is_word() && !KEYWORDS.contains(&word) => {
                let mut found = Vec::new();
                let end = tree(tokens, index, &[], &mut found);
                let within: Vec<String> = modules.iter().map(|(name, _)| name.clone()).collect();
                paths.extend(found.into_iter().map(|(segments, line)| Path { segments, within: within.clone(), line }));
                index = end.max(index + 1);
                continue;
            }
            _ => {}
        }
        index += 1;
    }
    paths
}

/// Reads one path or tree from `index`, and gives where it ends.
fn tree(tokens: &[Token], mut index: usize, prefix: &[String], found: &mut Vec<(Vec<String>, usize)>) -> usize {
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    let mut segments = prefix.to_vec();
    let line = tokens.get(index).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(index) {
        if token.is_word() || token.text == "*" {
            segments.push(token.text.clone());
            index += 1;
        }
        if text(index) == "as" && segments.len() > prefix.len() {
            segments.push("as".to_owned());
            // The new name is no path.
            index += 2;
            break;
        }
        if text(index) != "::" {
            break;
        }
        index += 1;
        match text(index) {
            "{" => {
                let end = matching(tokens, index);
                index += 1;
                while index + 1 < end {
                    if text(index) == "," {
                        index += 1;
                    } else {
                        let next = tree(tokens, index, &segments, found);
                        index = next.max(index + 1);
                    }
                }
                return end;
            }
            // `crate::$room` in a macro: what it will be cannot be seen, and is told by the segment `$`.
            "$" => {
                segments.push("$".to_owned());
                index += 2;
                break;
            }
            // A turbofish ends what is of interest.
            "<" => break,
            _ => {}
        }
    }
    if segments.len() > prefix.len() {
        found.push((segments, line));
    }
    index
}
