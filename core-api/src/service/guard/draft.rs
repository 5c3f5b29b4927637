//! What is attached to a record, compiled before the transaction of a change begins.
//!
//! Patterns take long to compile. Writers wait for each other, so that is done beside them, of what
//! was there a moment before; the transaction then looks whether that is still there.

use requestrocket_policy::compile::{check_layer, check_meters};
use sqlx::AnyConnection;

use crate::domain::guard::attachment::{AttachedTo, Attachment};
use crate::domain::guard::effect::Effect;
use crate::domain::guard::meter::MeterForm;
use crate::domain::guard::redaction::RedactionForm;
use crate::domain::guard::rule::RuleForm;
use crate::domain::id::OrganisationId;
use crate::error::{ApiError, ApiResult, Code};
use crate::region::policy_spec;
use crate::store::guard::attachment::{StoredForm, attachment_active};
use crate::store::guard::weight::{AttachedVersion, attached_versions};

/// All that is active of one record's attachments.
#[derive(Clone, Debug)]
pub struct Attached {
    organisation: OrganisationId,
    to: AttachedTo,
    rules: Vec<Attachment<RuleForm>>,
    redactions: Vec<Attachment<RedactionForm>>,
    meters: Vec<Attachment<MeterForm>>,
}

/// What a change makes of a record.
#[derive(Debug)]
pub struct Draft {
    organisation: OrganisationId,
    to: AttachedTo,
    /// Of what the change was made.
    versions: Vec<AttachedVersion>,
    /// Of all attachments with the change.
    pub(super) weight: ApiResult<u64>,
}

/// A kind of attachment, among the others that are compiled with it.
pub trait Draftable: StoredForm + Clone + PartialEq + Send + Sync + 'static {
    /// Whether it is compiled at all.
    fn is_active(&self) -> bool;

    /// Those of its kind.
    fn among(attached: &mut Attached) -> &mut Vec<Attachment<Self>>;
}

impl Attached {
    /// As it is now. Should it change meanwhile, a draft of it does not hold.
    pub(super) async fn fetch(
        conn: &mut AnyConnection,
        organisation: OrganisationId,
        to: AttachedTo,
    ) -> sqlx::Result<Self> {
        let meters = match to {
            AttachedTo::Proxy(_) => attachment_active(conn, organisation, to).await?,
            AttachedTo::Credential(_) | AttachedTo::Target(_) => Vec::new(),
        };
        Ok(Self {
            organisation,
            to,
            rules: attachment_active(conn, organisation, to).await?,
            redactions: attachment_active(conn, organisation, to).await?,
            meters,
        })
    }

    /// Compiles it with `attachment`, which may be there in another version. That takes long.
    pub(super) fn with<F: Draftable>(mut self, attachment: &Attachment<F>) -> Draft {
        // Of what was there before: the transaction looks whether it still is.
        let versions = self.versions();
        self.remove::<F>(attachment.id);
        if attachment.form.is_active() {
            F::among(&mut self).push(attachment.clone());
        }
        self.compiled(versions)
    }

    /// Compiles it without one attachment. That takes long.
    pub(super) fn without<F: Draftable>(mut self, id: F::Id) -> Draft {
        let versions = self.versions();
        self.remove::<F>(id);
        self.compiled(versions)
    }

    fn remove<F: Draftable>(&mut self, id: F::Id) {
        F::among(self).retain(|other| other.id != id);
    }

    fn compiled(self, versions: Vec<AttachedVersion>) -> Draft {
        Draft {
            organisation: self.organisation,
            to: self.to,
            versions,
            weight: self.weight(),
        }
    }

    fn versions(&self) -> Vec<AttachedVersion> {
        let rules = self.rules.iter().map(version);
        let redactions = self.redactions.iter().map(version);
        let mut versions: Vec<_> = rules.chain(redactions).collect();
        versions.extend(self.meters.iter().map(version));
        versions.sort_unstable();
        versions
    }

    /// What is fine by itself may be too much together.
    fn weight(&self) -> ApiResult<u64> {
        // Which default effect does not matter here.
        let layer = policy_spec::layer(Effect::Deny, &self.rules, &self.redactions);
        let mut weight = check_layer(layer).map_err(|invalid| too_much(&invalid))?;
        if matches!(self.to, AttachedTo::Proxy(_)) {
            let meters = policy_spec::meters(&self.meters);
            weight += check_meters(meters).map_err(|invalid| too_much(&invalid))?;
        }
        Ok(weight as u64)
    }
}

impl Draft {
    /// Whether what it was made of is what is there. To be asked inside of the transaction, before
    /// it changes anything.
    pub(super) async fn holds(&self, conn: &mut AnyConnection) -> sqlx::Result<bool> {
        let now = attached_versions(conn, self.organisation, self.to).await?;
        Ok(now == self.versions)
    }
}

impl Draftable for RuleForm {
    fn is_active(&self) -> bool {
        self.is_active
    }

    fn among(attached: &mut Attached) -> &mut Vec<Attachment<Self>> {
        &mut attached.rules
    }
}

impl Draftable for RedactionForm {
    fn is_active(&self) -> bool {
        self.is_active
    }

    fn among(attached: &mut Attached) -> &mut Vec<Attachment<Self>> {
        &mut attached.redactions
    }
}

impl Draftable for MeterForm {
    fn is_active(&self) -> bool {
        self.is_active
    }

    fn among(attached: &mut Attached) -> &mut Vec<Attachment<Self>> {
        &mut attached.meters
    }
}

fn version<F: StoredForm>(attachment: &Attachment<F>) -> AttachedVersion {
    AttachedVersion {
        id: attachment.id.to_string(),
        revision: attachment.revision,
    }
}

fn too_much(invalid: &dyn std::error::Error) -> ApiError {
    let text = format!("too much is attached to this record: {invalid}");
    ApiError::new(Code::LimitReached, text)
}
