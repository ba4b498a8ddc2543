package org.sparkqlora.tensor;

import java.util.Collection;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Frees the temporaries of a computation at once, keeping its result. Prompt freeing is the largest single factor in
 * speed: memory that waits for the garbage collector leaves each new tensor on fresh pages.
 */
public final class TensorScope {
    private TensorScope() {}

    /** Runs {@code body}; of all tensors it makes only the result survives, owned by the surrounding scope or, without one, by the caller. */
    public static Tensor keep(Supplier<Tensor> body) {
        PointerScope outer = PointerScope.getInnerScope();
        try (PointerScope inner = new PointerScope()) {
            Tensor result = body.get();
            if (outer == null) {
                return result.retainReference();
            }

            outer.attach(result);
            return result;
        }
    }

    /** As {@link #keep}, for a result that holds many tensors: those that {@code tensors} names, each once, survive. */
    public static <R> R keepAll(Supplier<R> body, Function<R, Collection<Tensor>> tensors) {
        PointerScope outer = PointerScope.getInnerScope();
        if (outer == null) {
            throw new IllegalStateException("Cannot keep tensors for a surrounding scope: there is no scope");
        }

        try (PointerScope inner = new PointerScope()) {
            R result = body.get();
            tensors.apply(result).forEach(outer::attach);
            return result;
        }
    }

    /** As {@link #keep}, for a tensor that outlives all scopes: the caller frees it with {@code releaseReference()}. */
    public static Tensor detached(Supplier<Tensor> body) {
        try (PointerScope inner = new PointerScope()) {
            return body.get().retainReference();
        }
    }

    /** Runs {@code body} and frees all that it makes. */
    public static void run(Runnable body) {
        try (PointerScope inner = new PointerScope()) {
            body.run();
        }
    }

    /** Frees a tensor of the innermost scope before that scope ends. */
    public static void free(Tensor tensor) {
        PointerScope inner = PointerScope.getInnerScope();
        if (inner == null) {
            throw new IllegalStateException("Cannot free a tensor before its scope ends: there is no scope");
        }

        inner.detach(tensor);
    }
}
