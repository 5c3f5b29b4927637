//! Routes of what is attached to a credential, a target or a proxy exist once in the code; here
//! they become one operation for each kind of record, so that the document names every path.

use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, PathItem, RefOr};

use super::common::operations;

const KIND: &str = "attachedTo";
const ID: &str = "attachedId";
/// Path segment, name of the id, what it is.
const KINDS: [(&str, &str, &str); 3] = [
    ("credentials", "credentialId", "credential"),
    ("targets", "targetId", "target"),
    ("proxies", "proxyId", "proxy"),
];

/// Replaces every path of attachments by one for each kind.
pub(super) fn expand(document: &mut OpenApi) {
    let paths = &mut document.paths.paths;
    let marked: Vec<String> = paths
        .keys()
        .filter(|path| path.contains(&format!("{{{KIND}}}")))
        .cloned()
        .collect();
    for path in marked {
        let Some(item) = paths.remove(&path) else {
            continue;
        };
        for (segment, id, record) in KINDS {
            let own = path
                .replace(&format!("{{{KIND}}}"), segment)
                .replace(&format!("{{{ID}}}"), &format!("{{{id}}}"));
            paths.insert(own, of_kind(item.clone(), id, record));
        }
    }
}

fn of_kind(mut item: PathItem, id: &str, record: &str) -> PathItem {
    for (_, operation) in operations(&mut item) {
        name(operation, record);
        let parameters = operation.parameters.get_or_insert_default();
        parameters.retain(|parameter| !is_named(parameter, KIND));
        for parameter in parameters {
            if let RefOr::T(parameter) = parameter
                && parameter.name == ID
            {
                id.clone_into(&mut parameter.name);
                parameter.description = Some(format!("The {record}"));
            }
        }
    }
    item
}

fn is_named(parameter: &RefOr<utoipa::openapi::path::Parameter>, name: &str) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.name == name)
}

/// `list_rules` becomes `list_target_rules`, "the record" becomes "the target".
fn name(operation: &mut Operation, record: &str) {
    if let Some(id) = &mut operation.operation_id
        && let Some((verb, what)) = id.split_once('_')
    {
        *id = format!("{verb}_{record}_{what}");
    }
    let texts = [&mut operation.summary, &mut operation.description];
    for text in texts.into_iter().flatten() {
        *text = text.replace("the record", &format!("the {record}"));
    }
}
