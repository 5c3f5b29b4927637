//! Sends letters by SMTP (RFC 5321), over TLS but to this machine itself.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use uuid::Uuid;

use crate::domain::account::letter::Written;
use crate::domain::people::user::Email;

/// For each step of a conversation.
const PATIENCE: Duration = Duration::from_secs(20);

/// How letters go out.
#[derive(Clone)]
pub struct MailSettings {
    /// The server: a DNS name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the conversation is kept private.
    pub security: Security,
    /// User name and password; none: the server asks for none.
    pub login: Option<(String, String)>,
    /// Who writes: `Name <address>` or an address.
    pub from: Mailbox,
    /// Certificate authorities of the server besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
}

/// How a conversation is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// It begins in the clear, and goes on only once there is TLS (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314 §3.3).
    Tls,
    /// Not at all, to this machine itself.
    None,
}

/// Sends letters; cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// A letter was not sent. What a server said may repeat what it was told, so it is not in here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// It never will be.
    #[error("the mail server refuses the letter{}", of_status(*.0))]
    Refused(Option<u16>),
    /// It may be later.
    #[error("the mail server does not take the letter now{}", of_status(*.0))]
    NotNow(Option<u16>),
}

fn of_status(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| format!(" ({status})"))
}

impl Security {
    /// The port where servers listen for it.
    #[must_use]
    pub fn usual_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

impl MailSettings {
    /// Whether what is said to the server leaves this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        address.map_or(self.host == "localhost", |address| address.is_loopback())
    }
}

impl Mailer {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// `ca_file` cannot be read or holds no certificates.
    pub fn new(settings: &MailSettings) -> anyhow::Result<Self> {
        let MailSettings {
            host,
            port,
            security,
            login,
            from,
            ca_file,
        } = settings;
        let mut tls = TlsParameters::builder(host.clone());
        if let Some(file) = ca_file {
            let named = || format!("`mail.ca_file` = `{}`", file.display());
            let pem = std::fs::read(file).with_context(named)?;
            tls = tls.add_root_certificate(Certificate::from_pem(&pem).with_context(named)?);
        }
        let tls = match security {
            Security::StartTls => Tls::Required(tls.build()?),
            Security::Tls => Tls::Wrapper(tls.build()?),
            Security::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(*port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()));
        if let Some((user, password)) = login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Self {
            transport: builder.build(),
            from: from.clone(),
        })
    }

    /// Sends a letter to an address.
    ///
    /// # Errors
    /// Says whether it is worth trying again.
    pub async fn send(&self, to: &Email, letter: Written) -> Result<(), Unsent> {
        let message = self.message(to, letter).ok_or(Unsent::Refused(None))?;
        let sent = self.transport.send(message).await;
        sent.map_err(|error| unsent(&error)).map(drop)
    }

    /// None: the address is one that mail cannot go to.
    fn message(&self, to: &Email, letter: Written) -> Option<Message> {
        let to: Address = to.as_str().parse().ok()?;
        let id = format!("<{}@{}>", Uuid::new_v4(), self.from.email.domain());
        // Automatic answers to it would go in circles (RFC 3834 §5).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .message_id(Some(id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .subject(letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body)
            .ok()
    }
}

fn unsent(error: &smtp::Error) -> Unsent {
    let status = error.status().map(u16::from);
    // These say that the server does not take us, whatever the letter (RFC 5321 §4.2.3, RFC 4954 §6).
    let is_of_us = matches!(status, Some(500..=504 | 530 | 534 | 535 | 538 | 554));
    if error.is_permanent() && !is_of_us {
        Unsent::Refused(status)
    } else {
        Unsent::NotNow(status)
    }
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").finish_non_exhaustive()
    }
}
