//! What each type of credential costs, on the side of callers and on that of targets.

mod keys;
mod revocation;

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

use self::keys::{ISSUER, Key};
use crate::calls;
use crate::load::{self, Load, Measured};
use crate::plan::Plan;
use crate::stack::{BenchStack, Form, Forms};
use crate::upstream::Nginx;
use crate::variants::{Variant, VariantEnvoy};

/// More than a worker remembers, so that the next one shown is none of those.
const TOKENS: usize = 24_000;

/// Rounds of one variant, by its name.
type Row = (String, Vec<Measured>);

/// Prints one row a type.
pub(crate) async fn measure(
    plan: &Plan,
    upstream: &Nginx,
    scratch: &Path,
) -> anyhow::Result<String> {
    let mut rows: Vec<Row> = Vec::new();
    let keys = [Key::rs256()?, Key::es256()?];
    let tokens = keys
        .iter()
        .enumerate()
        .map(|(number, key)| Tokens::of(key, &scratch.join(format!("tokens-{number}"))))
        .collect::<anyhow::Result<Vec<_>>>()?;
    for fleet in 0..plan.fleets {
        let scratch = scratch.join(format!("credentials-{fleet}"));
        std::fs::create_dir(&scratch)?;
        let measured = measure_fleet(plan, upstream, &scratch, (&keys, &tokens)).await?;
        if rows.is_empty() {
            rows = measured;
            continue;
        }
        for ((_, all), (_, own)) in rows.iter_mut().zip(measured) {
            all.extend(own);
        }
    }
    let (names, rounds): (Vec<String>, Vec<Vec<Measured>>) = rows.into_iter().unzip();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = scratch.join("revocation");
    let revoked = revocation::measure(&folder, &upstream.url(), plan.changes).await?;
    Ok(load::table(&names, &rounds) + &revoked)
}

/// Tokens of one key, as they are shown: one that is shown again and again, and a file of many.
struct Tokens {
    one: String,
    many: PathBuf,
}

impl Tokens {
    fn of(key: &Key, file: &Path) -> anyhow::Result<Self> {
        let many = (0..TOKENS).map(|number| Ok(format!("Bearer {}", key.token(number)?)));
        let many = many.collect::<anyhow::Result<Vec<_>>>()?;
        std::fs::write(file, many.join("\n"))?;
        let one = many.first().context("a token")?.clone();
        let many = file.to_owned();
        Ok(Self { one, many })
    }

    /// The same calls with a token that is remembered, and with tokens that are not.
    fn loads(&self, name: &str, load: &Load) -> [(String, Load); 2] {
        let remembered = Load {
            authorization: self.one.clone(),
            ..load.clone()
        };
        let new = Load {
            tokens: Some(self.many.clone()),
            ..load.clone()
        };
        [
            (format!("{name}, remembered"), remembered),
            (format!("{name}, a new token each call"), new),
        ]
    }
}

async fn measure_fleet(
    plan: &Plan,
    upstream: &Nginx,
    scratch: &Path,
    (keys, tokens): (&[Key], &[Tokens]),
) -> anyhow::Result<Vec<Row>> {
    let stack = BenchStack::start(&scratch.join("stack"), None).await?;
    let common = stack.create_proxy("bench", &upstream.url()).await?;
    let mut loads: Vec<(String, Load)> = Vec::new();
    let mut envoys = Vec::new();
    let dump = stack.config_dump().await?;
    let jwt = Variant::Jwt {
        issuer: ISSUER.to_owned(),
        key_set: json!({"keys": keys.iter().map(Key::jwk).collect::<Vec<_>>()}).to_string(),
        token: tokens.first().context("tokens")?.one.clone(),
    };
    for variant in [Variant::Bare, jwt] {
        let envoy = VariantEnvoy::start(variant, &dump, &common, scratch).await?;
        let load = envoy.load(&common);
        match &envoy.variant {
            Variant::Jwt { .. } => {
                for (name, tokens) in ["RS256", "ES256"].iter().zip(tokens) {
                    loads.extend(tokens.loads(&format!("native `jwt_authn` {name}"), &load));
                }
            }
            _ => loads.push((envoy.variant.name().to_owned(), load)),
        }
        envoys.push(envoy);
    }
    loads.push(("apiKey, bearer".to_owned(), stack.load(&common)?));
    for (name, (key, tokens)) in ["RS256", "ES256"].iter().zip(keys.iter().zip(tokens)) {
        let secret = json!({"publicKey": key.jwk(), "issuer": ISSUER, "audience": ["bench"]});
        let caller = Form::new("jwtVerify", secret);
        let forms = Forms {
            caller,
            ..Forms::default()
        };
        let proxy = stack.create_proxy_of(name, &upstream.url(), &forms).await?;
        loads.extend(tokens.loads(&format!("jwtVerify {name}"), &stack.load(&proxy)?));
    }
    for (name, injected) in injected(&upstream.url()) {
        let forms = Forms {
            injected,
            ..Forms::default()
        };
        let proxy = stack.create_proxy_of(name, &upstream.url(), &forms).await?;
        stack.wait_until_granted(&proxy).await?;
        loads.push((format!("apiKey, {name}"), stack.load(&proxy)?));
    }
    let rounds = calls::run_rounds(plan, &loads)?;
    let names = loads.into_iter().map(|(name, _)| name);
    Ok(names.zip(rounds).collect())
}

/// What targets may be given.
fn injected(target_url: &str) -> Vec<(&'static str, Form)> {
    let ed25519 = include_str!("../../../../policy/src/secret_form/tests/keys/ed25519.pem");
    let p256 = include_str!("../../../../policy/src/secret_form/tests/keys/p256.pem");
    let signed = |algorithm: &str, ttl_seconds: u64, (member, key): (&str, Value)| {
        let mut secret = json!({
            "algorithm": algorithm, "claims": {"iss": "bench"}, "ttlSeconds": ttl_seconds,
        });
        secret[member] = key;
        Form::new("signedJwt", secret)
    };
    let shared = || ("sharedSecret", json!("a".repeat(32)));
    let private = |pem: &str| ("privateKey", json!(pem));
    vec![
        ("nothing", Form::new("none", json!({}))),
        (
            "oauth2",
            Form::new(
                "oauth2",
                json!({
                    "grantType": "client_credentials", "clientId": "bench", "clientSecret": "bench",
                    "tokenUrl": format!("{target_url}/token"),
                }),
            ),
        ),
        ("signedJwt HS256", signed("HS256", 60, shared())),
        (
            "signedJwt HS256, each call its own",
            signed("HS256", 0, shared()),
        ),
        ("signedJwt EdDSA", signed("EdDSA", 60, private(ed25519))),
        (
            "signedJwt EdDSA, each call its own",
            signed("EdDSA", 0, private(ed25519)),
        ),
        (
            "signedJwt ES256, each call its own",
            signed("ES256", 0, private(p256)),
        ),
        (
            "awsSigV4",
            Form::new(
                "awsSigV4",
                json!({
                    "accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "b".repeat(40),
                    "region": "eu-central-1", "service": "execute-api",
                }),
            ),
        ),
        (
            "hmac",
            Form::new(
                "hmac",
                json!({
                    "key": "c".repeat(32), "hash": "sha256", "encoding": "hex",
                    "stringToSign": "{method}\n{path}\n{query}\n{timestamp}",
                    "header": "X-Signature", "timestampHeader": "X-Timestamp",
                }),
            ),
        ),
    ]
}
