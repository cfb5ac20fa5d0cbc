//! Damage never stops the prober: what is broken is set aside.

use std::fs;
use std::io::{Seek, SeekFrom, Write};

use super::super::*;
use super::*;

#[tokio::test(flavor = "current_thread")]
async fn what_is_no_database_is_set_aside() {
    let place = tempfile::tempdir().unwrap();
    let database = files::database(place.path());
    fs::write(&database, "this is no database, and long enough to be told from an empty one. ".repeat(100)).unwrap();
    let error = Reader::open(place.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let store = open(place.path()).await;
    let aside = store.opened().set_aside.clone().unwrap();
    assert_eq!(aside, place.path().join("pilotlight.db.damaged-20261120T190211Z"));
    assert!(fs::read_to_string(&aside).unwrap().starts_with("this is no database"));
    store.append(vec![ready("glm", 1)]).await.unwrap();
    store.close().await;

    // A second time within the same second.
    fs::write(&database, "garbage again, which is no database either".repeat(100)).unwrap();
    let store = open(place.path()).await;
    let aside = store.opened().set_aside.clone().unwrap();
    assert_eq!(aside, place.path().join("pilotlight.db.damaged-20261120T190211Z-2"));
}

#[tokio::test(flavor = "current_thread")]
async fn damage_that_is_met_while_writing_is_set_aside_at_the_next_start() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    store.append((0..500).map(|index| ready("glm", index)).collect()).await.unwrap();
    store.close().await;
    // All pages but the first, which has the schema.
    let database = files::database(place.path());
    let mut file = fs::OpenOptions::new().write(true).open(&database).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(4096 * 3)).unwrap();
    file.write_all(&vec![0x5a; usize::try_from(length).unwrap() - 4096 * 3]).unwrap();
    drop(file);

    let met = match Store::open(place.path(), NO_PATIENCE, now()).await {
        Ok(store) if store.opened().set_aside.is_some() => return,
        Ok(store) => {
            let met = store.append((0..500).map(|index| ready("glm", index)).collect()).await;
            store.close().await;
            met
        }
        Err(error) => Err(error),
    };
    assert!(matches!(met, Err(StoreError::Damaged { .. })), "{met:?}");
    let store = open(place.path()).await;
    assert!(store.opened().set_aside.is_some());
    assert!(!files::suspect(place.path()).exists());
    store.append(vec![ready("glm", 1)]).await.unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn a_suspicion_that_does_not_hold_is_forgotten() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    store.append(vec![ready("glm", 1)]).await.unwrap();
    store.close().await;
    fs::write(files::suspect(place.path()), "").unwrap();
    assert_eq!(open(place.path()).await.opened(), &Opened::default());
    assert!(!files::suspect(place.path()).exists());
    assert_eq!(reader(place.path()).await.history("glm", Filter::default()).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_file_in_the_way_of_the_directory() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("state");
    fs::write(&path, "").unwrap();
    let error = Store::open(&path, NO_PATIENCE, now()).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("create the state directory `{}`: ", path.display())), "{error}");
}
