package org.sparkqlora.optim;

import org.jspecify.annotations.NullMarked;

@NullMarked
class HeapPageStoreTest extends PageStoreContract {
    @Override
    PageStore open(int[] byteSizes) {
        return new HeapPageStore(byteSizes);
    }
}
