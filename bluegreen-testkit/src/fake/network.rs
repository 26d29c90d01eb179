use std::collections::BTreeMap;

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadNetwork};
use bluegreen_core::model::{LoadBalancerName, PortRange};

use super::FakeCloud;
use super::refusal::not_found;

#[async_trait]
impl ReadNetwork for FakeCloud {
    async fn open_ports(
        &self,
        load_balancer: &LoadBalancerName,
        ports: PortRange,
    ) -> Result<BTreeMap<u16, String>, CloudError> {
        self.read("open_ports", load_balancer.to_string(), |state| {
            let balancer = state.world.load_balancers.get(load_balancer);
            let balancer = balancer.ok_or_else(|| not_found("open_ports", load_balancer))?;
            let open = ports.ports().filter_map(|port| Some((port, balancer.opening(port)?)));
            Ok(open.map(|(port, opening)| (port, opening.to_owned())).collect())
        })
        .await
    }
}
