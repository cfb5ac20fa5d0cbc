//! Recognising a web page where an API's answer was expected, and reading its title.

use super::text::clean;

/// How much of a page is looked at. The title of Cloudflare's challenge stands within the first kilobyte.
const LOOKED_AT: usize = 16 * 1024;
/// Longest title that is kept, in characters.
const TITLE: usize = 120;

/// Whether a text (without leading space) is a web page.
pub(super) fn is_html(text: &str) -> bool {
    text.starts_with('<') && {
        let lower = beginning(text).to_ascii_lowercase();
        ["<!doctype html", "<html", "<head", "<title", "<body"].iter().any(|tag| lower.contains(tag))
    }
}

/// The title of a page, cleaned.
pub(super) fn title(text: &str) -> Option<String> {
    let page = beginning(text);
    // ASCII case only, so that positions are the same in both.
    let lower = page.to_ascii_lowercase();
    let tag = lower.find("<title")?;
    let open = tag + lower.get(tag..)?.find('>')? + 1;
    let close = open + lower.get(open..)?.find('<')?;
    let title = clean(&unescape(page.get(open..close)?), TITLE);
    (!title.is_empty()).then_some(title)
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The few entities that titles hold. `&amp;` comes last, so that nothing is unescaped twice.
fn unescape(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_other_text() {
        for (text, page) in [
            ("<!DOCTYPE html><html lang=\"en-US\"><head><title>Just a moment...</title>", true),
            ("<html>\r\n<head><title>502 Bad Gateway</title></head>", true),
            ("<!-- comment --><HTML>", true),
            ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", false),
            ("404 page not found", false),
            ("{\"error\":\"<html>\"}", false),
        ] {
            assert_eq!(is_html(text), page, "{text}");
        }
    }

    #[test]
    fn the_title_is_read_and_cleaned() {
        for (text, expected) in [
            ("<html><TITLE data-x=1>\n Tom &amp; Jerry&#39;s \u{1b}[2J</title>", Some("Tom & Jerry's")),
            ("<html><title></title>", None),
            ("<html><title>never closed", None),
            ("<html>", None),
        ] {
            assert_eq!(title(text).as_deref(), expected, "{text}");
        }
    }
}
