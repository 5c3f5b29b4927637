//! What `docs/providers.md` says to send is taken.

use serde_json::Value;

use super::super::{
    SecretForm,
    auth_type::{AuthType, Side},
};

const PAGE: &str = include_str!("../../../../docs/providers.md");
const RSA: &str = include_str!("keys/rsa.pem");

#[test]
fn every_example_is_a_secret_of_its_side() {
    let blocks = PAGE.split("```json\n").skip(1);
    let mut types = Vec::new();
    for block in blocks.filter_map(|rest| rest.split("```").next()) {
        let key = serde_json::to_string(RSA).unwrap();
        let block = block
            .replace("\"PRIVATE_KEY\"", &key)
            .replace("\"PEM\"", &key)
            .replace("SHOP", "shop");
        let example: Value = serde_json::from_str(&block).unwrap();
        let word = example["credentialAuthType"].as_str().unwrap();
        let auth_type: AuthType = word.parse().unwrap();
        let secret = example["credentialSecret"].to_string();
        let side = if auth_type.is_of(Side::Target) {
            Side::Target
        } else {
            Side::Proxy
        };
        let form = SecretForm::open(auth_type, side, secret.as_bytes());
        assert!(form.is_ok(), "{block}: {form:?}");
        types.push(auth_type);
    }
    assert_eq!(types.len(), 14, "{types:?}");
}
