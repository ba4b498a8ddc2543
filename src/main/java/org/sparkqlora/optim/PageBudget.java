package org.sparkqlora.optim;

/**
 * The size of pages and the number of threads that update them.
 *
 * <p>A thread holds two frames of a page (state as stored, parameters, gradients) and one page's decoded states. Of n
 * elements and s states that is at most {@code n (2 (4 s + 8) + 4 s)} bytes.
 *
 * @param elements of a page, a multiple of a block
 * @param lanes threads at once
 * @param windowBytes bound on what they hold together
 */
record PageBudget(int elements, int lanes, long windowBytes) {
    /** Enough to amortise a hand-over, little enough for a thread's second-level cache. */
    private static final int MOST_ELEMENTS = 1 << 14;

    private static final int MOST_GPU_ELEMENTS = 1 << 22;

    /** As {@code paging} has room for; a kind that is not paged has no bound. */
    static PageBudget of(OptimizerSpec spec, Paging paging, int threads) {
        if (!spec.kind().paged()) {
            return unbounded(MOST_ELEMENTS, threads);
        }

        long block = StateFormat.BLOCK * bytesOfElement(spec);
        long lanes = Math.min(threads, paging.windowBytes() / block);
        long blocks = Math.min(MOST_ELEMENTS / StateFormat.BLOCK, paging.windowBytes() / lanes / block);
        return new PageBudget((int) blocks * StateFormat.BLOCK, (int) lanes, paging.windowBytes());
    }

    /**
     * Two pages at a time on a GPU, state, parameters and gradients of both within the window: large ones, for each is a few calls of
     * the driver.
     */
    static PageBudget ofGpu(OptimizerSpec spec, Paging paging) {
        long states = UpdateRule.of(spec).states().size();
        long block = 2 * StateFormat.BLOCK * Float.BYTES * (states + 2);
        long blocks = Math.min(MOST_GPU_ELEMENTS / StateFormat.BLOCK, paging.windowBytes() / block);
        return new PageBudget((int) blocks * StateFormat.BLOCK, 1, paging.windowBytes());
    }

    static PageBudget unbounded(int elements, int lanes) {
        return new PageBudget(elements, lanes, Long.MAX_VALUE);
    }

    private static long bytesOfElement(OptimizerSpec spec) {
        int states = UpdateRule.of(spec).states().size();
        long frame = (long) Float.BYTES * (states + 2);
        return 2 * frame + (long) Float.BYTES * states;
    }
}
