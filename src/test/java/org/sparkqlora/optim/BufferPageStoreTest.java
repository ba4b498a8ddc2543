package org.sparkqlora.optim;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.NullMarked;

@NullMarked
class BufferPageStoreTest extends PageStoreContract {
    @Override
    PageStore open(int[] byteSizes) {
        return new BufferPageStore(
                ByteBuffer.allocateDirect(Arrays.stream(byteSizes).sum()), byteSizes);
    }
}
