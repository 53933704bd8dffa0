//! Whole validators, deterministic: the same seed is the same run.

mod world;

use std::sync::Arc;
use std::time::Duration;

use commonware_p2p::simulated::Link;
use commonware_runtime::{Runner as _, deterministic};
use commonware_utils::probability;
use sigmill::Engine;
use sigmill_consensus::service::Request;
use world::{World, account, reach, status, submit, transfer};

fn engine() -> Arc<Engine> {
    Arc::new(Engine::builder().threads(1).open().unwrap())
}

const LINK: Link = Link {
    latency: Duration::from_millis(50),
    jitter: Duration::from_millis(10),
    success_rate: probability!(1.0),
};

#[test]
fn transfers_become_final_everywhere() {
    let config = deterministic::Config::default().with_timeout(Some(Duration::from_secs(600)));
    deterministic::Runner::new(config).start(|context| async move {
        let world = World::new(engine());
        let oracle = world.network(&context).await;
        world.link(&oracle, &LINK).await;
        let mut services = Vec::new();
        for index in 0..4 {
            services.push(world.start(&context, &oracle, index).await.0);
        }
        let all: Vec<_> = (0..20)
            .map(|n| transfer(&world.genesis, n, 0, account((n + 1) % 20).address(), 10 + n))
            .collect();
        let hashes = submit(&services[0], all).await;
        reach(&context, &services[3], 10).await;
        for service in &services {
            for hash in &hashes {
                let id = *hash.as_ref().unwrap();
                let receipt = service.ask(|reply| Request::Receipt(id, reply)).await.unwrap();
                assert!(receipt.is_some());
            }
        }
        let height = status(&services[3]).await.height;
        for service in &services {
            reach(&context, service, height).await;
        }
        let blocks = |height| {
            let services = services.clone();
            async move {
                let mut all = Vec::new();
                for service in &services {
                    let block = service.ask(|reply| Request::Block(height, reply)).await.unwrap();
                    all.push(block.unwrap().block.header.clone());
                }
                all
            }
        };
        for height in 1..=height {
            let headers = blocks(height).await;
            assert!(headers.windows(2).all(|pair| pair[0] == pair[1]));
        }
        assert!(oracle.blocked().await.unwrap().is_empty());
    });
}
