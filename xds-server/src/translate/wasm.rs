//! Our filter, as Envoy loads it.

use std::path::Path;

use envoy_types::pb::envoy::config::core::v3::{
    AsyncDataSource, BackoffStrategy, async_data_source,
};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::wasm::v3::{
    EnvironmentVariables, FailurePolicy, PluginConfig, ReloadConfig, VmConfig, plugin_config,
};

use super::filter_name::FILTER;
use super::wire::{file, flag, millis};

/// The variable that brings the region's keys into the filter.
const KEYS_VARIABLE: &str = "REQUESTROCKET_REGION_KEYS";
/// How many workers the Envoy has.
const WORKERS_VARIABLE: &str = "REQUESTROCKET_WORKERS";

/// The filter. Constant but for the path: no setting can make it fail open.
pub(super) fn wasm(module: &Path) -> Wasm {
    let vm = VmConfig {
        // Shared data belongs to it: the same in all workers and after every reload.
        vm_id: FILTER.to_owned(),
        runtime: "envoy.wasm.runtime.v8".to_owned(),
        code: Some(AsyncDataSource {
            specifier: Some(async_data_source::Specifier::Local(file(module))),
        }),
        environment_variables: Some(EnvironmentVariables {
            // Keys come from the process, because what stands here is in every configuration dump.
            host_env_keys: [KEYS_VARIABLE, WORKERS_VARIABLE].map(str::to_owned).into(),
            ..EnvironmentVariables::default()
        }),
        ..VmConfig::default()
    };
    let config = PluginConfig {
        name: FILTER.to_owned(),
        root_id: FILTER.to_owned(),
        // A trap is one failed request. The default pause before a fresh module is so long that
        // a few traps a second are an outage for everybody.
        failure_policy: FailurePolicy::FailReload.into(),
        reload_config: Some(ReloadConfig {
            backoff: Some(BackoffStrategy {
                base_interval: millis(10),
                max_interval: millis(20),
            }),
        }),
        // Else to hold a head back is to hold its body back too, and the filter never sees it.
        allow_on_headers_stop_iteration: flag(true),
        vm: Some(plugin_config::Vm::VmConfig(vm)),
        ..PluginConfig::default()
    };
    Wasm {
        config: Some(config),
    }
}
