//! A denial with what it says of the one call that met it.

use super::{Denial, DenialResponse, JsonText, OVERLOADED_RETRY_AFTER};

/// A refusal of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which.
    pub denial: Denial,
    /// What it adds.
    pub detail: Option<Box<Detail>>,
}

/// What a refusal says beyond its fixed answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Of [`Denial::RuleDenied`].
    Rule {
        /// The layer that denies; the first of several.
        layer: &'static str,
        /// The deciding rule, or `default`, or `unreadable-body`.
        rule_id: String,
    },
    /// Of [`Denial::TargetCredentialUnavailable`], where a token is on its way.
    Soon,
    /// Of [`Denial::RateLimited`].
    Limit {
        /// A meter's id, `plan` or `proxy`.
        meter: String,
        /// The exceeded window that ends last.
        window: &'static str,
        /// `Retry-After`, in seconds.
        retry_after: u64,
        /// `RateLimit-Policy`.
        policy: String,
        /// `RateLimit`.
        state: String,
    },
}

impl Refusal {
    /// The refusal as the caller gets it.
    pub fn response(&self, request_id: &str) -> DenialResponse {
        match self.detail.as_deref() {
            None => self.denial.response(request_id),
            Some(Detail::Rule { layer, rule_id }) => {
                let rule_id = JsonText(rule_id);
                let members = format!(r#","layer":"{layer}","ruleId":"{rule_id}""#);
                self.denial.response_with(&members, request_id)
            }
            Some(Detail::Soon) => {
                let mut response = self.denial.response(request_id);
                let line = ("retry-after", OVERLOADED_RETRY_AFTER.to_owned());
                response.headers.push(line);
                response
            }
            Some(Detail::Limit {
                meter,
                window,
                retry_after,
                policy,
                state,
            }) => {
                let meter = JsonText(meter);
                let members = format!(r#","meter":"{meter}","window":"{window}""#);
                let mut response = self.denial.response_with(&members, request_id);
                response.headers.extend([
                    ("retry-after", retry_after.to_string()),
                    ("ratelimit-policy", policy.clone()),
                    ("ratelimit", state.clone()),
                ]);
                response
            }
        }
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Self {
            denial,
            detail: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(denial: Denial, detail: Detail) -> DenialResponse {
        let detail = Some(Box::new(detail));
        Refusal { denial, detail }.response("id")
    }

    fn body(response: &DenialResponse) -> &str {
        std::str::from_utf8(&response.body).unwrap()
    }

    #[test]
    fn without_a_detail_it_is_the_denial() {
        for denial in Denial::ALL {
            assert_eq!(Refusal::from(denial).response("id"), denial.response("id"));
        }
    }

    #[test]
    fn a_rule_is_named_by_layer_and_id() {
        let rule = Detail::Rule {
            layer: "target",
            rule_id: "default".to_owned(),
        };
        let response = refusal(Denial::RuleDenied, rule);
        assert_eq!(
            body(&response),
            r#"{"error":"A rule does not allow this call.","code":"RULE_DENIED","status":403,"details":[],"requestId":"id","layer":"target","ruleId":"default"}"#
        );
        assert_eq!(response.headers, Denial::RuleDenied.response("id").headers);
    }

    #[test]
    fn a_token_that_is_on_its_way_says_when_to_come_again() {
        let response = refusal(Denial::TargetCredentialUnavailable, Detail::Soon);
        let line = ("retry-after", "1".to_owned());
        assert!(response.headers.contains(&line));
        let plain = Denial::TargetCredentialUnavailable.response("id");
        assert_eq!((response.status, response.body), (503, plain.body));
    }

    #[test]
    fn a_limit_is_named_by_meter_and_window_and_says_when_to_come_again() {
        let limit = Detail::Limit {
            meter: "proxy".to_owned(),
            window: "minute",
            retry_after: 17,
            policy: r#""minute";q=100;w=60"#.to_owned(),
            state: r#""minute";r=0;t=17"#.to_owned(),
        };
        let response = refusal(Denial::RateLimited, limit);
        assert!(
            body(&response).ends_with(r#""requestId":"id","meter":"proxy","window":"minute"}"#)
        );
        for line in [
            ("retry-after", "17"),
            ("ratelimit-policy", r#""minute";q=100;w=60"#),
            ("ratelimit", r#""minute";r=0;t=17"#),
            ("requestrocket-proxy-code", "rate-limit-exceeded"),
        ] {
            let line = (line.0, line.1.to_owned());
            assert!(response.headers.contains(&line), "{line:?}");
        }
    }
}
