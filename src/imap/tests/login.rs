//! Greeting, STARTTLS, proofs, refusals.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::script::{log_in_as, password, play, server, token};
use crate::evidence::Level;
use crate::imap::login::{log_in, start_tls};
use crate::net::Security;

#[tokio::test]
async fn plain_with_initial_response() {
    let sasl = STANDARD.encode("\0alex\0pa\"ss\\wörd");
    let script = format!(
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN] ready
         C: k1 AUTHENTICATE PLAIN {sasl}
         S: k1 OK [CAPABILITY IMAP4rev1 IDLE] in"
    );
    let capabilities = log_in_as(&script, "alex", password("pa\"ss\\wörd")).await.unwrap();
    assert_eq!(capabilities, ["IDLE", "IMAP4REV1"]);
}

#[tokio::test]
async fn plain_without_initial_response_as_courier_wants_it() {
    let sasl = STANDARD.encode("\0alex\0secret");
    let script = format!(
        "S: * OK [CAPABILITY IMAP4rev1 UIDPLUS CHILDREN NAMESPACE AUTH=PLAIN STARTTLS] Courier-IMAP ready.
         C: k1 AUTHENTICATE PLAIN
         S: +
         C: {sasl}
         S: k1 OK LOGIN Ok.
         C: k2 CAPABILITY
         S: * CAPABILITY IMAP4rev1 UIDPLUS IDLE
         S: k2 OK CAPABILITY completed"
    );
    assert!(log_in_as(&script, "alex", password("secret")).await.unwrap().contains(&"IDLE".to_string()));
}

#[tokio::test]
async fn login_quotes_and_sends_literals_where_it_must() {
    let script = r#"
        S: * OK [CAPABILITY IMAP4rev1] ready
        C: k1 LOGIN "al\"ex" "a\\b \"c\""
        S: k1 OK [CAPABILITY IMAP4rev1] in"#;
    log_in_as(script, "al\"ex", password("a\\b \"c\"")).await.unwrap();
    let script = "
        S: * OK [CAPABILITY IMAP4rev1] ready
        C: k1 LOGIN \"alex\" {7}
        S: + go
        C: sécret
        S: k1 OK [CAPABILITY IMAP4rev1] in";
    log_in_as(script, "alex", password("sécret")).await.unwrap();
    let script = "
        S: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready
        C: k1 LOGIN \"alex\" {7+}
        C: sécret
        S: k1 OK [CAPABILITY IMAP4rev1] in";
    log_in_as(script, "alex", password("sécret")).await.unwrap();
}

#[tokio::test]
async fn a_password_cannot_become_a_command() {
    let script = "
        S: * OK [CAPABILITY IMAP4rev1] ready
        C: k1 LOGIN \"alex\" {18}
        S: + go
        C: a
        C: k2 DELETE INBOX
        S: k1 NO [AUTHENTICATIONFAILED] no";
    log_in_as(script, "alex", password("a\r\nk2 DELETE INBOX")).await.unwrap_err();
}

#[tokio::test]
async fn no_password_where_login_is_disabled() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\n -- stall";
    let refused = log_in_as(script, "alex", password("secret")).await.unwrap_err();
    assert_eq!(refused.trouble.level, Level::Stop);
    assert!(refused.trouble.what.contains("security = \"tls\""), "{}", refused.trouble);
}

#[tokio::test]
async fn tokens_by_xoauth2_and_by_oauthbearer() {
    let sasl = STANDARD.encode("user=alex@gmail.com\x01auth=Bearer ya29.x\x01\x01");
    let script = format!(
        "S: * OK Gimap ready for requests from 192.0.2.1 x1
         C: k1 CAPABILITY
         S: * CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY SASL-IR AUTH=XOAUTH2 AUTH=PLAIN AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER
         S: k1 OK Thats all she wrote! x1
         C: k2 AUTHENTICATE XOAUTH2 {sasl}
         S: * CAPABILITY IMAP4rev1 UNSELECT IDLE X-GM-EXT-1
         S: k2 OK alex@gmail.com authenticated (Success)
         C: k3 CAPABILITY
         S: * CAPABILITY IMAP4rev1 UNSELECT IDLE X-GM-EXT-1
         S: k3 OK Success"
    );
    log_in_as(&script, "alex@gmail.com", token("ya29.x")).await.unwrap();
    let sasl = STANDARD.encode("n,a=a=2Clex,\x01auth=Bearer t\x01\x01");
    let script = format!(
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=OAUTHBEARER] ready
         C: k1 AUTHENTICATE OAUTHBEARER
         S: +
         C: {sasl}
         S: k1 OK [CAPABILITY IMAP4rev1] in"
    );
    log_in_as(&script, "a,lex", token("t")).await.unwrap();
}

#[tokio::test]
async fn a_refused_token_is_answered_once_and_said() {
    for (mechanism, answer) in [("XOAUTH2", ""), ("OAUTHBEARER", "AQ==")] {
        let script = format!(
            "S: * OK [CAPABILITY IMAP4rev1 AUTH={mechanism}] ready
             C: k1 AUTHENTICATE {mechanism}
             S: +
             C: {}
             S: + eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0=
             C: {answer}
             S: k1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
            STANDARD.encode(if mechanism == "XOAUTH2" {
                "user=alex\x01auth=Bearer t\x01\x01"
            } else {
                "n,a=alex,\x01auth=Bearer t\x01\x01"
            })
        );
        let refused = log_in_as(&script, "alex", token("t")).await.unwrap_err();
        assert!(refused.refused && refused.trouble.level == Level::Stop, "{}", refused.trouble);
    }
    let refused = log_in_as("S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n -- stall", "alex", token("t")).await;
    assert!(refused.unwrap_err().trouble.what.contains("takes no token"));
}

#[tokio::test]
async fn endless_challenges_end() {
    let script =
        format!("S: * OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] ready\n{}-- stall", "S: + e30=\n".repeat(50));
    assert!(log_in_as(&script, "alex", token("t")).await.is_err());
}

#[tokio::test]
async fn a_wrong_password_says_what_to_check_and_does_not_show_it() {
    let script = "
        S: * OK [CAPABILITY IMAP4rev1] ready
        C: k1 LOGIN \"alex\" \"c4nary\"
        S: k1 NO [AUTHENTICATIONFAILED] Authentication failed.";
    let refused = log_in_as(script, "alex", password("c4nary")).await.unwrap_err();
    let what = refused.trouble.what;
    assert_eq!(
        what,
        "imap.example refuses the login of alex (AUTHENTICATIONFAILED: Authentication failed.): \
         check `username` and `password`"
    );
    assert!(!format!("{what} {refused:?}", refused = refused.refused).contains("c4nary"));
}

#[tokio::test]
async fn greetings_that_let_nobody_in() {
    for (greeting, word) in [
        ("S: * BYE [UNAVAILABLE] Too many connections", "close other mail programs"),
        ("S: * PREAUTH welcome", "PREAUTH"),
        ("S: +OK POP3 ready", "check `port`"),
        ("S: 220 smtp.example ESMTP", "no IMAP"),
        ("S: HTTP/1.1 400 Bad Request", "no IMAP"),
        ("-- close", "closed the connection"),
    ] {
        let refused = log_in_as(greeting, "alex", password("secret")).await.unwrap_err();
        assert!(refused.trouble.what.contains(word), "{greeting}: {}", refused.trouble);
        assert!(!refused.refused && refused.trouble.level == Level::Wait, "{greeting}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_greets_is_given_up() {
    let refused = log_in_as("-- stall", "alex", password("secret")).await.unwrap_err();
    assert!(refused.trouble.what.contains("says nothing for 60 s"), "{}", refused.trouble);
}

#[tokio::test]
async fn starttls_to_the_byte() {
    let run = async |script: &str| play(script, async |mut stream| start_tls("imap.example", &mut stream).await).await;
    run("S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready
         C: k0 STARTTLS
         S: k0 OK begin TLS")
    .await
    .unwrap();
    run("S: * OK ready
         C: k0 STARTTLS
         S: * CAPABILITY IMAP4rev1 STARTTLS
         S: K0 NO
         S: k0 ok")
    .await
    .unwrap();
    for (script, word, level) in [
        // what an eavesdropper appends would be read as if it came through TLS
        ("S: * OK hi\nC: k0 STARTTLS\nS= k0 OK go\\r\\n* PREAUTH\\r\\n", "somebody may be in between", Level::Wait),
        ("S: * OK hi\nC: k0 STARTTLS\nS= k0 OK go\\r\\n*", "somebody may be in between", Level::Wait),
        ("S= * OK hi\\r\\nk0 OK go\\r\\n", "before it is asked", Level::Wait),
        ("S: * PREAUTH hi", "PREAUTH", Level::Wait),
        ("S: * BYE go away", "go away", Level::Wait),
        ("S: 220 smtp", "check `port`", Level::Wait),
        ("S: * OK hi\nC: k0 STARTTLS\nS: k0 BAD no TLS here", "port = 993", Level::Stop),
        ("S: * OK hi\nC: k0 STARTTLS\n-- close", "closed the connection", Level::Wait),
        ("-- close", "closed the connection", Level::Wait),
    ] {
        let trouble = run(script).await.unwrap_err();
        assert!(trouble.what.contains(word) && trouble.level == level, "{script}: {trouble}");
    }
    let chatty = format!("S: * OK hi\nC: k0 STARTTLS\n{}-- stall", "S: * OK wait\n".repeat(100));
    assert!(run(&chatty).await.is_err());
}

#[tokio::test]
async fn after_starttls_there_is_no_greeting() {
    let script = "
        C: k1 CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: k1 OK done
        C: k2 LOGIN \"alex\" \"secret\"
        S: k2 OK in
        C: k3 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IDLE
        S: k3 OK done";
    let server = server("imap.example", Security::StartTls);
    play(script, async |stream| log_in(&server, stream, "alex", &password("secret")).await.map(|_| ())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn good_bye_takes_no_longer_than_it_may() {
    let before = tokio::time::Instant::now();
    super::script::with("", "C: k1 LOGOUT\n-- stall", async |session| session.logout().await).await;
    assert!(before.elapsed() <= Duration::from_secs(6));
    super::script::with("", "C: k1 LOGOUT\nS: * BYE bye\nS: k1 OK", async |session| session.logout().await).await;
}

/// Everything that any crate says through `log`, at its most talkative.
struct Said(std::sync::Mutex<String>);

static SAID: Said = Said(std::sync::Mutex::new(String::new()));

impl log::Log for Said {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        *self.0.lock().unwrap() += &format!("{} {}\n", record.target(), record.args());
    }
    fn flush(&self) {}
}

#[tokio::test]
async fn no_proof_is_said_at_any_level() {
    log::set_logger(&SAID).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let plain = STANDARD.encode("\0alex\0c4nary-plain");
    let oauth = STANDARD.encode("user=alex\x01auth=Bearer c4nary-token\x01\x01");
    let hello = "S: * OK [CAPABILITY IMAP4rev1";
    for (script, proof) in [
        (format!("{hello}] hi\nC: k1 LOGIN \"alex\" \"c4nary-login\"\nS: k1 NO no"), password("c4nary-login")),
        (format!("{hello}] hi\nC: k1 LOGIN \"alex\" {{8}}\nS: +\nC: c4nary-ü\nS: k1 NO no"), password("c4nary-ü")),
        (
            format!("{hello} AUTH=PLAIN] hi\nC: k1 AUTHENTICATE PLAIN\nS: +\nC: {plain}\nS: k1 NO no"),
            password("c4nary-plain"),
        ),
        (
            format!("{hello} AUTH=XOAUTH2 SASL-IR] hi\nC: k1 AUTHENTICATE XOAUTH2 {oauth}\nS: k1 NO no"),
            token("c4nary-token"),
        ),
    ] {
        let refused = log_in_as(&script.replace("{8}", "{9}"), "alex", proof).await.unwrap_err();
        assert!(!format!("{:?} {}", refused, refused.trouble).contains("c4nary"));
    }
    let said = SAID.0.lock().unwrap().clone();
    assert!(said.contains("decode: input"), "the logger hears");
    for secret in ["c4nary", plain.as_str(), oauth.as_str()] {
        assert!(!said.contains(secret), "{secret}");
    }
}
