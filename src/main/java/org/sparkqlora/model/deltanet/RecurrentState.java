package org.sparkqlora.model.deltanet;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.TensorScope;

/** The state that a document leaves in a layer of the gated delta rule for the tokens that follow. Belongs to one pass at a time. */
public final class RecurrentState implements AutoCloseable {
    private @Nullable Tensor memory; // (heads, key size, value size), float32
    private @Nullable Tensor tail; // (kernel - 1, channels), float32

    @Nullable
    Tensor memory() {
        return memory;
    }

    @Nullable
    Tensor tail() {
        return tail;
    }

    void replace(Tensor newMemory, Tensor newTail) {
        Tensor keptMemory = TensorScope.detached(newMemory::clone);
        Tensor keptTail = TensorScope.detached(newTail::clone);
        close();
        memory = keptMemory;
        tail = keptTail;
    }

    /** Forgets all tokens. */
    @Override
    public void close() {
        if (memory != null && tail != null) {
            memory.releaseReference();
            tail.releaseReference();
        }

        memory = null;
        tail = null;
    }
}
