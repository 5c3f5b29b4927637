//! region_link
