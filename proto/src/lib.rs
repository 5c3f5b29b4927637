//! Generated wire contracts; the `.proto` files beside `src/` are the documentation.

pub mod access {
    //! filter ↔ xds-server.
    pub mod v1 {
        //! `requestrocket.access.v1`
        include!(concat!(env!("OUT_DIR"), "/requestrocket.access.v1.rs"));
    }
}

pub mod keys {
    //! filter ↔ xds-server.
    pub mod v1 {
        //! `requestrocket.keys.v1`
        include!(concat!(env!("OUT_DIR"), "/requestrocket.keys.v1.rs"));
    }
}

pub mod meter {
    //! filter ↔ xds-server.
    pub mod v1 {
        //! `requestrocket.meter.v1`
        include!(concat!(env!("OUT_DIR"), "/requestrocket.meter.v1.rs"));
    }
}

pub mod passage {
    //! filter ↔ xds-server, beside asynchronous requests.
    pub mod v1 {
        //! `requestrocket.passage.v1`
        include!(concat!(env!("OUT_DIR"), "/requestrocket.passage.v1.rs"));
    }
}

pub mod policy {
    //! xds-server → filter.
    pub mod v1 {
        //! `requestrocket.policy.v1`
        include!(concat!(env!("OUT_DIR"), "/requestrocket.policy.v1.rs"));
    }
}

pub mod queue {
    //! xds-server, in its store.
    pub mod v1 {
        //! `requestrocket.queue.v1`
        include!(concat!(env!("OUT_DIR"), "/requestrocket.queue.v1.rs"));
    }
}

pub mod record {
    //! filter → xds-server → core-api.
    pub mod v1 {
        //! `requestrocket.record.v1`
        include!(concat!(env!("OUT_DIR"), "/requestrocket.record.v1.rs"));
    }
}

pub mod region {
    //! core-api ↔ xds-server.
    pub mod v1 {
        //! `requestrocket.region.v1`
        include!(concat!(env!("OUT_DIR"), "/requestrocket.region.v1.rs"));
    }
}

pub mod telemetry {
    //! xds-server → core-api.
    pub mod v1 {
        //! `requestrocket.telemetry.v1`
        include!(concat!(env!("OUT_DIR"), "/requestrocket.telemetry.v1.rs"));
    }
}

pub mod usage {
    //! filter ↔ xds-server.
    pub mod v1 {
        //! `requestrocket.usage.v1`
        include!(concat!(env!("OUT_DIR"), "/requestrocket.usage.v1.rs"));
    }
}
