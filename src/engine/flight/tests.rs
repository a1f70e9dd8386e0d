use super::*;

fn lead(flights: &Arc<Flights>) -> Leader {
    match flights.board("k".into(), None) {
        Boarding::Lead(leader) => leader,
        _ => panic!("somebody leads already"),
    }
}

fn follow(flights: &Arc<Flights>) -> Arc<Flight> {
    match flights.board("k".into(), None) {
        Boarding::Follow(flight) => flight,
        _ => panic!("nobody leads"),
    }
}

#[test]
fn a_load_whose_state_of_the_key_is_unknown_is_followed_by_nobody_who_comes_later() {
    let flights = Arc::new(Flights::default());
    let leader = lead(&flights);
    leader.stand_alone();
    assert!([None, Some(&Version::Number(1))].into_iter().all(|shown| !leader.flight().serves(shown)));
}

fn landing(flight: &Flight) -> Option<Landing> {
    match &*flight.state() {
        State::Landed(landing) => Some(landing.clone()),
        State::Airborne { .. } => None,
    }
}

#[test]
fn the_second_caller_follows_and_gets_the_leaders_value() {
    let flights = Arc::new(Flights::default());
    let leader = lead(&flights);
    let flight = follow(&flights);
    assert!(landing(&flight).is_none());
    leader.land(Landing::Value(Arc::new(7_u64)));
    assert!(matches!(landing(&flight), Some(Landing::Value(_))));
    drop(lead(&flights));
}

#[test]
fn a_dropped_leader_leaves_nobody_waiting() {
    let flights = Arc::new(Flights::default());
    let leader = lead(&flights);
    let flight = follow(&flights);
    drop(leader);
    assert!(matches!(landing(&flight), Some(Landing::Abandoned)));
    drop(lead(&flights));
}

#[test]
fn a_panicking_leader_says_so() {
    let flights = Arc::new(Flights::default());
    let leader = lead(&flights);
    let flight = follow(&flights);
    let thread = std::thread::spawn(move || {
        let _leader = leader;
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(thread.join().is_err());
    let Some(Landing::Failed(error)) = landing(&flight) else { panic!("no failure") };
    assert_eq!(error.kind(), ErrorKind::LoaderPanicked);
}

#[test]
fn a_detached_load_serves_those_who_wait_and_nobody_after() {
    let flights = Arc::new(Flights::default());
    let old = lead(&flights);
    let waiting = follow(&flights);
    flights.detach(|| "k".into());
    let new = lead(&flights);
    let later = follow(&flights);
    old.land(Landing::Value(Arc::new(1_u64)));
    assert!(landing(&waiting).is_some());
    assert!(landing(&later).is_none(), "an old load must not end a new one");
    new.land(Landing::Value(Arc::new(2_u64)));
    assert!(landing(&later).is_some());
}

#[test]
fn a_load_is_joined_before_it_begins_and_later_by_those_who_saw_its_lease() {
    let flights = Arc::new(Flights::default());
    let leader = lead(&flights);
    let _early = follow(&flights);
    leader.stand_for(Some(&Version::Number(7)));
    let board = |shown| flights.board("k".into(), shown);
    assert!(matches!(board(Some(&Version::Number(7))), Boarding::Follow(_)));
    assert!(matches!(board(Some(&Version::Number(8))), Boarding::Outdated(_)));
    let Boarding::Outdated(flight) = board(None) else { panic!("the key showed no lease") };
    flights.strike("k", &flight);
    drop(lead(&flights));
}
