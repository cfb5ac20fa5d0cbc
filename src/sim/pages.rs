//! Answers that are not the API's: HTML of proxies and portals, and an error text full of control characters.

use serde_json::json;

use super::behaviour::Page;
use super::http::Response;

/// An HTML page, as proxies and portals send it where an API is expected.
pub(crate) fn page(which: Page, status: Option<u16>) -> Response {
    match which {
        Page::Nginx => {
            let status = status.unwrap_or(502);
            let title = match status {
                404 => "404 Not Found",
                403 => "403 Forbidden",
                503 => "503 Service Temporarily Unavailable",
                504 => "504 Gateway Time-out",
                _ => "502 Bad Gateway",
            };
            let html = format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx/1.27.3</center>\r\n</body>\r\n</html>\r\n"
            );
            Response::new(status).header("server", "nginx/1.27.3").with_body("text/html", html.into_bytes())
        }
        Page::CloudflareChallenge => {
            let html = "<!DOCTYPE html><html lang=\"en-US\"><head><title>Just a moment...</title><meta name=\"robots\" content=\"noindex,nofollow\"></head><body><noscript>Enable JavaScript and cookies to continue</noscript></body></html>";
            Response::new(status.unwrap_or(403))
                .header("server", "cloudflare")
                .header("cf-mitigated", "challenge")
                .header("cf-ray", "8f00000000000000-SIM")
                .with_body("text/html; charset=UTF-8", html.as_bytes().to_vec())
        }
        Page::Login => {
            let html = "<!DOCTYPE html>\n<html><head><title>Sign in to Guest Wi-Fi</title></head><body><form method=\"post\" action=\"/login\"><input name=\"user\"><input name=\"password\" type=\"password\"></form></body></html>\n";
            Response::new(status.unwrap_or(200)).with_body("text/html; charset=utf-8", html.as_bytes().to_vec())
        }
    }
}

/// An error whose message tries to take over a terminal or a log: ESC and ANSI colours, BEL, line breaks that look like
/// a log line of our own, a carriage return, a bidi override, and a C1 control.
pub(crate) fn control_characters(status: u16) -> Response {
    let message = "\u{1b}[31mred\u{1b}[0m \u{7}bell\n{\"level\":\"INFO\",\"verdict\":\"ready\"}\r\nover\rwritten \u{202e}desrever\u{202c} \u{9b}2J \u{0}nul \u{1b}]0;title\u{7} end";
    let body = json!({ "error": { "message": message, "type": "invalid_request_error", "param": null, "code": "bad\u{1b}[2Jcode" } });
    Response::json(status, &body)
}
