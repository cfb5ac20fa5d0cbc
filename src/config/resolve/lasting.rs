//! What outlives a probe: how outcomes make a status, who tells whether we are online, and how long history is kept.

use super::super::fields::{Fields, number};
use super::super::mistakes::Mistake;
use super::super::node::Node;
use super::super::table::{HISTORY, STATUS};
use super::super::values_of_times as times;
use super::Context;
use crate::outcome::{Damping, Witness};
use crate::store::Retention;

/// How many outcomes change a status.
pub(super) fn damping(root: &Fields<'_, '_>) -> Damping {
    let mut damping = Damping::default();
    let Some(fields) = root.section("status", &STATUS) else {
        return damping;
    };
    for (key, value) in [("fail_after", &mut damping.fail_after), ("recover_after", &mut damping.recover_after)] {
        let said = fields.get(key).and_then(number).and_then(|number| u32::try_from(number).ok());
        *value = said.unwrap_or(*value);
    }
    damping
}

/// For how long history is kept.
pub(super) fn retention(root: &Fields<'_, '_>) -> Retention {
    let default = Retention::default();
    let fields = root.section("history", &HISTORY);
    let text = |key| fields.and_then(|fields| fields.text(key));
    Retention {
        age: text("keep").and_then(|text| times::age(text).ok()).unwrap_or(default.age),
        bytes: text("size").and_then(|text| times::size(text).ok()).unwrap_or(default.bytes),
    }
}

/// Who tells whether this machine is online.
pub(super) fn witness(context: &mut Context<'_>, root: &Fields<'_, '_>) -> Witness {
    if root.text("witness") == Some("none") {
        return Witness::None;
    }
    let Some(items) = root.get("witness").and_then(Node::items) else {
        return Witness::Providers;
    };
    if items.is_empty() {
        context.report(
            Mistake::at(root.span_of("witness"), "`witness` names nobody")
                .fix("write `none`, or remove the line to ask the hosts of the other providers"),
        );
    }
    Witness::Addresses(items.iter().filter_map(Node::text).filter_map(|text| times::witness(text).ok()).collect())
}
