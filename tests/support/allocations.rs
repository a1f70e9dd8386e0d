/// How often this thread asked the allocator for memory while `run` ran. Other threads are not counted.
pub fn allocations(run: impl FnOnce()) -> u64 {
    allocation_counter::measure(run).count_total
}
