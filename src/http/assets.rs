//! The playground's files, served from the binary.
//!
//! `playground/dist` is the committed output of `npm run build` in `playground/`. It is embedded,
//! so running a gateway needs neither Node.js nor a folder beside the binary, and every path is
//! looked up in a fixed table: no request reaches the file system.
//!
//! Most files are stored only as gzip (`x.js.gz`, asked for as `x.js`), which a third of the size
//! pays for: whoever refuses gzip gets 406. Files under `assets/` carry a hash of their content in
//! their name and may be kept for ever; all others are asked for anew and answered by `ETag`.
//!
//! A new file needs no line here, a new file type one in [`media_type`].

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

/// What the page may do: its own files and the API of its own origin (WebSocket included, which
/// `'self'` covers since CSP 3), nothing else. Monaco and GraphiQL write `style` elements and bring
/// fonts and images as `data:` URIs, hence the exceptions.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
     connect-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
     img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FOR_EVER: &str = "public, max-age=31536000, immutable";

#[derive(RustEmbed)]
#[folder = "playground/dist/"]
struct Dist;

/// `GET` and `HEAD` for `/playground` and all below it.
pub fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/playground", get(index))
        .route("/playground/", get(index))
        .route("/playground/{*path}", get(asset))
}

async fn index(request: HeaderMap) -> Response {
    respond("index.html", &request)
}

async fn asset(Path(path): Path<String>, request: HeaderMap) -> Response {
    respond(&path, &request)
}

fn respond(path: &str, request: &HeaderMap) -> Response {
    let mut response = match find(path) {
        Some((_, true)) if !accepts_gzip(request) => {
            (StatusCode::NOT_ACCEPTABLE, "this file is sent with gzip only\n").into_response()
        }
        Some((file, gzip)) => file_response(path, file, gzip, request),
        None => (StatusCode::NOT_FOUND, "no such file in the playground\n").into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The file and whether it is stored as gzip. The stored name of a gzip file is not a path.
fn find(path: &str) -> Option<(EmbeddedFile, bool)> {
    if path.strip_suffix(".gz").is_some() {
        return None;
    }
    Dist::get(path)
        .map(|file| (file, false))
        .or_else(|| Some((Dist::get(&format!("{path}.gz"))?, true)))
}

fn file_response(path: &str, file: EmbeddedFile, gzip: bool, request: &HeaderMap) -> Response {
    let etag = etag(&file);
    let cache = if path.starts_with("assets/") { FOR_EVER } else { "no-cache" };
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if gzip {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    let known = matches(request, &etag);
    headers.insert(header::ETAG, etag);
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    (headers, Bytes::from_owner(file.data)).into_response()
}

/// Half of the content's SHA-256, which `rust-embed` computes when the binary is built.
fn etag(file: &EmbeddedFile) -> HeaderValue {
    let hash = file.metadata.sha256_hash();
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    let text = format!("\"{:032x}\"", u128::from_be_bytes(half));
    HeaderValue::try_from(text).expect("hexadecimal digits and quotes are header characters")
}

/// `If-None-Match` by weak comparison (RFC 9110, 13.1.2).
fn matches(request: &HeaderMap, etag: &HeaderValue) -> bool {
    list(request, &header::IF_NONE_MATCH)
        .any(|tag| tag == "*" || tag.trim_start_matches("W/").as_bytes() == etag.as_bytes())
}

/// Whether gzip may be sent (RFC 9110, 12.5.3): without the header anything may, `gzip` beats `*`,
/// and a weight of 0 means no.
fn accepts_gzip(request: &HeaderMap) -> bool {
    if !request.contains_key(header::ACCEPT_ENCODING) {
        return true;
    }
    let mut any = false;
    for coding in list(request, &header::ACCEPT_ENCODING) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = parameters.trim().trim_start_matches(['q', 'Q']).trim_start_matches('=');
        let wanted = weight.is_empty() || weight.parse::<f32>().is_ok_and(|q| q > 0.0);
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => return wanted,
            "*" => any = wanted,
            _ => {}
        }
    }
    any
}

/// The members of a comma-separated header, over all its lines.
fn list<'a>(request: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    request
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "svg" => "image/svg+xml",
        "ttf" => "font/ttf",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// The largest stored file: its size and its path.
#[cfg(test)]
pub(super) fn largest() -> (usize, String) {
    let sizes = Dist::iter().filter_map(|name| Some((Dist::get(&name)?.data.len(), name)));
    let (size, name) = sizes.max().expect("the playground has files");
    (size, name.trim_end_matches(".gz").to_owned())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Method, Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn call(method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        router::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn get_path(path: &str) -> Response {
        call(Method::GET, path, &[]).await
    }

    async fn body(response: Response) -> Bytes {
        response.into_body().collect().await.unwrap().to_bytes()
    }

    fn value(response: &Response, name: HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn page_is_html_asked_for_anew_and_locked_down() {
        for path in ["/playground", "/playground/", "/playground/index.html"] {
            let page = get_path(path).await;
            assert_eq!(page.status(), StatusCode::OK, "{path}");
            assert_eq!(value(&page, header::CONTENT_TYPE), "text/html; charset=utf-8");
            assert_eq!(value(&page, header::CACHE_CONTROL), "no-cache");
            assert_eq!(value(&page, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            let policy = value(&page, header::CONTENT_SECURITY_POLICY);
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
            assert!(!policy.contains("http"), "no foreign origin: {policy}");
        }
    }

    /// The page's own references are what a browser asks for: each must be there.
    #[tokio::test]
    async fn everything_the_page_refers_to_is_served_for_ever() {
        let page = body(get_path("/playground/").await).await;
        let page = std::str::from_utf8(&page).unwrap();
        let paths: Vec<&str> =
            page.split('"').filter(|part| part.starts_with("/playground/assets/")).collect();
        assert!(paths.len() >= 3, "{paths:?}");
        for path in paths {
            let file = get_path(path).await;
            assert_eq!(file.status(), StatusCode::OK, "{path}");
            assert_eq!(value(&file, header::CACHE_CONTROL), FOR_EVER, "{path}");
            let kind = value(&file, header::CONTENT_TYPE).to_owned();
            let expected =
                if path.strip_suffix(".css").is_some() { "text/css" } else { "text/javascript" };
            assert!(kind.starts_with(expected), "{path} is {kind}");
        }
    }

    #[test]
    fn every_embedded_file_has_a_media_type() {
        for name in Dist::iter() {
            let path = name.trim_end_matches(".gz");
            assert_ne!(media_type(path), "application/octet-stream", "{path}");
        }
    }

    fn a_gzip_file() -> String {
        let name = Dist::iter().find(|name| name.ends_with(".js.gz")).unwrap();
        format!("/playground/{}", name.trim_end_matches(".gz"))
    }

    #[tokio::test]
    async fn gzip_is_sent_unless_refused() {
        let path = a_gzip_file();
        for (accepted, status) in [
            ("gzip, deflate, br", StatusCode::OK),
            ("br, gzip;q=0.1", StatusCode::OK),
            ("*", StatusCode::OK),
            ("", StatusCode::NOT_ACCEPTABLE),
            ("identity", StatusCode::NOT_ACCEPTABLE),
            ("*, gzip;q=0", StatusCode::NOT_ACCEPTABLE),
            ("br, GZIP; q=0.0", StatusCode::NOT_ACCEPTABLE),
        ] {
            let file = call(Method::GET, &path, &[(header::ACCEPT_ENCODING, accepted)]).await;
            assert_eq!(file.status(), status, "Accept-Encoding: {accepted}");
        }
        let file = get_path(&path).await;
        assert_eq!(value(&file, header::CONTENT_ENCODING), "gzip");
        assert_eq!(value(&file, header::VARY), "accept-encoding");
        assert_eq!(body(file).await[..2], [0x1f, 0x8b], "the magic number of gzip");
    }

    #[tokio::test]
    async fn known_file_is_not_sent_again() {
        let path = a_gzip_file();
        let etag = value(&get_path(&path).await, header::ETAG).to_owned();
        assert_eq!(etag.len(), 34, "{etag}");
        for tag in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
            let answer = call(Method::GET, &path, &[(header::IF_NONE_MATCH, &tag)]).await;
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{tag}");
            assert_eq!(value(&answer, header::ETAG), etag);
            assert_eq!(value(&answer, header::CACHE_CONTROL), FOR_EVER);
            assert!(body(answer).await.is_empty());
        }
        let changed = call(Method::GET, &path, &[(header::IF_NONE_MATCH, "\"other\"")]).await;
        assert_eq!(changed.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn head_tells_the_length_without_the_body() {
        let path = a_gzip_file();
        let whole = get_path(&path).await;
        let head = call(Method::HEAD, &path, &[]).await;
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(value(&head, header::ETAG), value(&whole, header::ETAG));
        let length = value(&head, header::CONTENT_LENGTH).to_owned();
        assert_eq!(length, body(whole).await.len().to_string());
        assert!(body(head).await.is_empty());
        assert_eq!(get_path("/playground").await.status(), StatusCode::OK);
        let post = call(Method::POST, "/playground", &[]).await;
        assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[tokio::test]
    async fn only_known_names_are_found() {
        let stored = format!("{}.gz", a_gzip_file());
        for path in [
            "/playground/nothing.js",
            "/playground/assets/",
            "/playground/../Cargo.toml",
            "/playground/assets/../../../Cargo.toml",
            "/playground/..%2f..%2fCargo.toml",
            "/playground/%2e%2e/%2e%2e/Cargo.toml",
            "/playground/%2fetc%2fpasswd",
            "/playground//etc/passwd",
            "/playground/assets%5c..%5cindex.html",
            "/playground/index.html%00",
            &stored,
        ] {
            let answer = get_path(path).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(value(&answer, header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        }
    }
}
