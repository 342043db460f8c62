//! Which run of a relay a client means: see [`kkv_owner::run`].

use std::sync::OnceLock;

use http::HeaderMap;
use kkv_owner::run::{RUN, value};
use kkv_protocol::ids::RelayId;

use super::fault::ClientError;

/// Which runs a client speaks to.
#[derive(Debug)]
pub(super) enum Meant {
    /// Whichever answers.
    Any,
    /// One: the first that answers, unless it is known already.
    One(OnceLock<RelayId>),
}

impl Meant {
    /// Says in a request for which run it is, if that is known.
    pub(super) fn say(&self, headers: &mut HeaderMap) {
        if let Self::One(run) = self
            && let Some(key) = run.get()
        {
            headers.insert(RUN, value(key));
        }
    }

    /// Looks at whose answer it is. Relays of before don't say.
    ///
    /// # Errors
    /// Another run's.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), ClientError> {
        let Self::One(run) = self else {
            return Ok(());
        };
        let said = headers.get(RUN).and_then(|said| said.to_str().ok());
        let Some(key) = said.and_then(|said| said.parse().ok()) else {
            return Ok(());
        };
        if *run.get_or_init(|| key) == key {
            Ok(())
        } else {
            Err(ClientError::AnotherRun)
        }
    }
}

#[cfg(test)]
mod tests {
    use kkv_net::http::{ConnectionLimits, serve};
    use kkv_owner::Delete;
    use kkv_owner::run::is_meant;
    use kkv_relay::owner::stage::Stage;
    use kkv_relay::owner::{OwnerListener, router};
    use kkv_relay::queue::Queue;

    use super::*;
    use crate::owner::Client;

    #[tokio::test]
    async fn what_is_meant_for_another_run_is_not_done_and_its_answers_are_not_taken() {
        let stage = Stage::new(Queue::new(3, None).unwrap(), 1);
        let id = stage.arrive("hello").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kkv.sock");
        let listener = OwnerListener::bind(&path).await.unwrap();
        let serving = serve(
            listener,
            router(stage.clone()),
            ConnectionLimits::for_owner(),
        );
        let asks = async {
            let client = || Client::new(&path).unwrap();
            let others = client().of_run(RelayId([2; 32]));
            let another = |asked: Result<(), ClientError>| {
                assert!(matches!(asked, Err(ClientError::AnotherRun)), "{asked:?}");
            };
            another(others.message(id).await.map(drop));
            another(others.mark(vec![id], true).await.map(drop));
            another(others.delete(&Delete::All).await.map(drop));
            another(others.wipe().await.map(drop));
            another(others.list().await.map(drop));
            let look = |queue: &Queue<_>| queue.with(id, stage.elapsed(), |message| message.read);
            assert_eq!(look(&stage.queue), Some(false));
            let first = client().of_one_run();
            for client in [client().of_run(RelayId([1; 32])), client(), first] {
                assert_eq!(client.list().await.unwrap().messages.len(), 1);
                client.mark(vec![id], true).await.unwrap();
            }
            assert_eq!(look(&stage.queue), Some(true));
        };
        tokio::select! {
            ended = serving => panic!("{ended:?}"),
            () = asks => {}
        }
    }

    #[test]
    fn the_first_that_answers_is_meant_from_then_on() {
        let meant = Meant::One(OnceLock::new());
        let of = |key: u8| {
            let mut headers = HeaderMap::new();
            headers.insert(RUN, value(&RelayId([key; 32])));
            headers
        };
        let mut said = HeaderMap::new();
        meant.say(&mut said);
        assert!(said.is_empty());
        meant.check(&HeaderMap::new()).unwrap();
        meant.check(&of(1)).unwrap();
        meant.check(&of(1)).unwrap();
        assert!(matches!(meant.check(&of(2)), Err(ClientError::AnotherRun)));
        meant.say(&mut said);
        assert!(is_meant(&said, &RelayId([1; 32])) && !is_meant(&said, &RelayId([2; 32])));
        assert!(is_meant(&HeaderMap::new(), &RelayId([2; 32])));
        Meant::Any.check(&of(2)).unwrap();
    }
}
