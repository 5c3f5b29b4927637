//! Who may do what: the one table.

use std::str::FromStr;

use super::organisation::InvalidWord;

/// What a member is in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Everything, incl. plan, billing, deletion and granting owner.
    Owner,
    /// Everything but those.
    Admin,
    /// Works with credentials, targets and proxies.
    User,
}

/// One kind of thing that can be done in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// See the organisation.
    ReadOrganisation,
    /// Change its name and configuration.
    ChangeOrganisation,
    /// Delete it.
    DeleteOrganisation,
    /// Change its plan and status.
    ChangePlan,
    /// See credentials, targets, proxies and their status.
    ReadResources,
    /// Create, change and delete them.
    WriteResources,
    /// See members and invites.
    ReadMembers,
    /// See what was let through.
    ReadUsage,
    /// See who changed what.
    ReadAudit,
    /// Invite, change and remove members who are not owners.
    WriteMembers,
    /// See, make, change and delete webhooks.
    ManageWebhooks,
    /// See prices, balance and entries.
    ReadBilling,
    /// Give or take amounts.
    WriteBilling,
    /// Make someone an owner, or change or remove one.
    GrantOwner,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ReadOrganisation,
        Self::ChangeOrganisation,
        Self::DeleteOrganisation,
        Self::ChangePlan,
        Self::ReadResources,
        Self::WriteResources,
        Self::ReadMembers,
        Self::ReadUsage,
        Self::ReadAudit,
        Self::WriteMembers,
        Self::ManageWebhooks,
        Self::ReadBilling,
        Self::WriteBilling,
        Self::GrantOwner,
    ];

    /// A member with one of `roles` may.
    #[must_use]
    pub fn is_granted_to(self, roles: impl IntoIterator<Item = Role>) -> bool {
        roles.into_iter().any(|role| self.is_granted_to_role(role))
    }

    /// The holder of an operator token may, in every organisation.
    #[must_use]
    pub fn is_granted_to_operator(self) -> bool {
        match self {
            Self::ReadOrganisation | Self::ChangePlan | Self::ReadBilling | Self::WriteBilling => {
                true
            }
            Self::ChangeOrganisation
            | Self::DeleteOrganisation
            | Self::ReadResources
            | Self::WriteResources
            | Self::ReadMembers
            | Self::ReadUsage
            | Self::ReadAudit
            | Self::WriteMembers
            | Self::ManageWebhooks
            | Self::GrantOwner => false,
        }
    }

    fn is_granted_to_role(self, role: Role) -> bool {
        match self {
            Self::ReadOrganisation | Self::ReadResources | Self::WriteResources => true,
            Self::ChangeOrganisation
            | Self::ReadMembers
            | Self::ReadUsage
            | Self::ReadAudit
            | Self::WriteMembers
            | Self::ManageWebhooks => {
                matches!(role, Role::Owner | Role::Admin)
            }
            Self::DeleteOrganisation | Self::ReadBilling | Self::GrantOwner => {
                matches!(role, Role::Owner)
            }
            // Plan, status and what is paid are the operator's.
            Self::ChangePlan | Self::WriteBilling => false,
        }
    }
}

impl Role {
    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::User => "user",
        }
    }
}

impl FromStr for Role {
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        match raw {
            "owner" => Ok(Self::Owner),
            "admin" => Ok(Self::Admin),
            "user" => Ok(Self::User),
            _ => Err(InvalidWord("`owner`, `admin`, `user`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_exactly_its_permissions() {
        use Permission as P;
        let user = [P::ReadOrganisation, P::ReadResources, P::WriteResources];
        let admin = [
            &user[..],
            &[
                P::ChangeOrganisation,
                P::ReadMembers,
                P::ReadUsage,
                P::ReadAudit,
                P::WriteMembers,
                P::ManageWebhooks,
            ],
        ]
        .concat();
        let own = [P::DeleteOrganisation, P::ReadBilling, P::GrantOwner];
        let owner = [&admin[..], &own].concat();
        for (role, granted) in [
            (Role::User, user.to_vec()),
            (Role::Admin, admin),
            (Role::Owner, owner),
        ] {
            for permission in Permission::ALL {
                let want = granted.contains(&permission);
                assert_eq!(
                    permission.is_granted_to([role]),
                    want,
                    "{role:?} {permission:?}"
                );
            }
        }
    }

    #[test]
    fn nobody_without_a_role_may_do_anything() {
        assert!(
            Permission::ALL
                .iter()
                .all(|permission| !permission.is_granted_to([]))
        );
    }
}
