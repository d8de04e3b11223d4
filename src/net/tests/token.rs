//! Tokens: kept, renewed, refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret;

use super::servers::{Answer, Asked, Web, response};
use crate::evidence::Level;
use crate::limits;
use crate::net::token::{Credentials, Shown};
use crate::net::{Login, OAuth2, Proof, Secret, Trouble, Url};

fn printing(text: &str) -> Secret {
    Secret::Command(vec!["printf".into(), text.into()])
}

fn login(proof: Proof) -> Credentials {
    Credentials::new(&Login { username: "alex".into(), proof })
}

fn refreshing(port: u16) -> Credentials {
    login(Proof::OAuth2(OAuth2::Refresh {
        token_url: Url::parse(&format!("http://127.0.0.1:{port}/token")).unwrap(),
        client_id: "kithd & co".into(),
        client_secret: Some(printing("s+cret")),
        refresh_token: printing("first/refresh"),
    }))
}

async fn token(credentials: &Credentials) -> Result<String, Trouble> {
    Ok(match credentials.proof().await? {
        Shown::Token(token) | Shown::Password(token) => token.expose_secret().to_string(),
    })
}

/// Answers the n-th request (from 1) by `answer(n)`.
async fn endpoint(answer: impl Fn(usize, &Asked) -> Vec<u8> + Send + Sync + 'static) -> Web {
    let count = AtomicUsize::new(0);
    let answer: Answer = Arc::new(move |asked| answer(count.fetch_add(1, Ordering::SeqCst) + 1, asked));
    Web::start("127.0.0.1", None, answer).await
}

#[tokio::test]
async fn a_token_is_kept_until_it_expires_or_is_refused() {
    let json = |n| format!(r#"{{"access_token":"T{n}","token_type":"Bearer","expires_in":3600}}"#);
    let web = endpoint(move |n, _| response(200, &[], &json(n))).await;
    let credentials = refreshing(web.port);
    let also = credentials.clone();
    assert_eq!(token(&credentials).await.unwrap(), "T1");
    assert_eq!(token(&also).await.unwrap(), "T1");
    let asked = web.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].body,
        "grant_type=refresh_token&client_id=kithd%20%26%20co&refresh_token=first%2Frefresh&client_secret=s%2Bcret"
    );
    // two connections held the same token
    credentials.refused();
    also.refused();
    assert_eq!(token(&credentials).await.unwrap(), "T2");
    assert_eq!(token(&also).await.unwrap(), "T2");
    // a minute before it expires
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3530)).await;
    assert_eq!(token(&credentials).await.unwrap(), "T2");
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    assert_eq!(token(&credentials).await.unwrap(), "T3");
}

#[tokio::test]
async fn renewing_at_once_asks_once() {
    let web = endpoint(|n, _| response(200, &[], &format!(r#"{{"access_token":"T{n}","expires_in":"3600"}}"#))).await;
    let credentials = refreshing(web.port);
    let (a, b, c) = tokio::join!(token(&credentials), token(&credentials), token(&credentials));
    assert_eq!((a.unwrap(), b.unwrap(), c.unwrap()), ("T1".into(), "T1".into(), "T1".into()));
    assert_eq!(web.asked().len(), 1);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_ends_it() {
    let web = endpoint(|n, _| response(200, &[], &format!(r#"{{"access_token":"T{n}"}}"#))).await;
    let credentials = refreshing(web.port);
    assert_eq!(token(&credentials).await.unwrap(), "T1");
    credentials.refused();
    assert_eq!(token(&credentials).await.unwrap(), "T2");
    credentials.refused();
    let trouble = token(&credentials).await.unwrap_err();
    assert_eq!(trouble.level, Level::Stop);
    assert!(trouble.what.contains("refuses even a fresh token for alex"), "{trouble}");
    assert_eq!(web.asked().len(), 2);
}

#[tokio::test]
async fn a_rotated_refresh_token_is_used_from_then_on() {
    let web = endpoint(|n, _| {
        response(200, &[], &format!(r#"{{"access_token":"T{n}","expires_in":1,"refresh_token":"R{n}"}}"#))
    })
    .await;
    let credentials = refreshing(web.port);
    for _ in 0..3 {
        token(&credentials).await.unwrap();
        credentials.refused();
        // refusals are hours apart here
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(2 * limits::LOGINS_WITHIN_SECS)).await;
        tokio::time::resume();
        token(&credentials).await.unwrap();
    }
    let used: Vec<_> = web.asked().iter().map(|a| a.body.contains("refresh_token=first")).collect();
    assert!(used[0]);
    assert!(used.len() > 1 && used[1..].iter().all(|first| !first), "{used:?}");
    assert!(web.asked()[1].body.contains("refresh_token=R1"));
}

#[tokio::test]
async fn refusals_of_the_endpoint_say_what_to_do() {
    let told = async |status, body: &'static str| {
        let web = endpoint(move |_, _| response(status, &[], body)).await;
        let trouble = token(&refreshing(web.port)).await.unwrap_err();
        for secret in ["first", "s+cret", "s%2Bcret", "/token"] {
            assert!(!trouble.what.contains(secret), "{trouble}");
        }
        trouble
    };
    let gone = told(400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#).await;
    assert!(gone.level == Level::Stop && gone.what.contains("log in again"), "{gone}");
    let client = told(401, r#"{"error":"invalid_client"}"#).await;
    assert!(client.level == Level::Stop && client.what.contains("`client_secret`"), "{client}");
    let busy = told(503, "<html>busy</html>").await;
    assert!(busy.level == Level::Wait && busy.what.contains("HTTP 503"), "{busy}");
    let odd = told(400, r#"{"error":"slow_down","error_description":"\u001b[31mnot\r\nnow"}"#).await;
    assert_eq!(odd.what, "127.0.0.1 gives no token: slow_down [31mnot now");
    for body in ["", "{}", r#"{"access_token":""}"#, r#"{"access_token":"a\r\nb"}"#] {
        let none = told(200, body).await;
        assert!(none.level == Level::Wait && none.what.contains("no token"), "{none}");
    }
    // a form with secrets in it goes nowhere else
    let other = endpoint(|_, _| response(200, &[], r#"{"access_token":"T"}"#)).await;
    let to = format!("http://127.0.0.1:{}/token", other.port);
    let web = endpoint(move |_, _| response(307, &[("Location", &to)], "")).await;
    assert!(token(&refreshing(web.port)).await.unwrap_err().what.contains("HTTP 307"));
    assert_eq!(other.asked().len(), 0);
}

#[tokio::test]
async fn a_command_prints_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("count");
    let script = format!("echo x >> {0}; echo T$(wc -l < {0})", file.display());
    let credentials = login(Proof::OAuth2(OAuth2::TokenCommand(vec!["sh".into(), "-c".into(), script])));
    assert_eq!(token(&credentials).await.unwrap(), "T1");
    assert_eq!(token(&credentials).await.unwrap(), "T1");
    credentials.refused();
    assert_eq!(token(&credentials).await.unwrap(), "T2");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(limits::TOKEN_COMMAND_SECS + 1)).await;
    tokio::time::resume();
    assert_eq!(token(&credentials).await.unwrap(), "T3");
}

#[tokio::test]
async fn a_password_is_read_anew_and_not_tried_too_often() {
    let credentials = login(Proof::Password(printing("hunter2")));
    for _ in 0..limits::LOGINS_REFUSED {
        assert_eq!(token(&credentials).await.unwrap(), "hunter2");
        credentials.refused();
    }
    let trouble = token(&credentials).await.unwrap_err();
    assert_eq!(trouble.level, Level::Wait);
    assert_eq!(
        trouble.what,
        "3 logins of alex were refused within the hour; the next one is tried in 60 min: check `username` and `password`"
    );
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(limits::LOGINS_WITHIN_SECS)).await;
    tokio::time::resume();
    assert_eq!(token(&credentials).await.unwrap(), "hunter2");
    assert_eq!(
        format!("{credentials:?} {:?}", credentials.proof().await.unwrap()),
        "Credentials(alex) Password(SecretBox<str>([REDACTED]))"
    );
}

#[test]
fn what_a_server_hands_back_is_not_shown() {
    use crate::net::token::hidden;
    let check = |text: &str, expected: &str| {
        let secrets = ["hunter2-längst", "aHVudGVyMi1s", "abc"].map(|s| s.to_string().into());
        assert_eq!(hidden(text, &secrets), expected);
    };
    check("no", "no");
    check("the password hunter2-längst is wrong, hunter2-längst!", "the password … is wrong, …!");
    check("hunter2-län", "…");
    check("(hunter2-lä): check `password`", "(…): check `password`");
    check(
        "hunter2 alone is a word of eight letters or it is none",
        "hunter2 alone is a word of eight letters or it is none",
    );
    check("aHVudGVyMi1s and abc", "… and abc");
}
