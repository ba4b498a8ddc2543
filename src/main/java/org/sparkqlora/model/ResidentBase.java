package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.BaseMatrix;
import org.sparkqlora.tensor.CopyStream;
import org.sparkqlora.tensor.MappedPages;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The part of a frozen base that is resident in a process: what comes first is kept while there is room, and the rest is asked for one
 * layer ahead, used, and given back. Layers are used upwards and then downwards, so that no choice of what to keep reads less.
 */
final class ResidentBase implements AutoCloseable {
    private final boolean bounded;
    private final Map<Integer, List<MappedPages>> pagesOfLayer = new HashMap<>();
    private final Map<Integer, List<BaseMatrix.Uploaded>> uploadsOfLayer = new HashMap<>();
    private volatile Ahead ahead = Ahead.NOTHING;
    private final AtomicLong givenBack = new AtomicLong();
    private final ExecutorService reader = Executors.newSingleThreadExecutor(Workers.daemons("base-reader"));
    private @Nullable CopyStream copies;
    private long room;

    /** In place of a layer, of matrices of which a pass uses some and asks for these itself. */
    static final int OF_NO_LAYER = Integer.MIN_VALUE;

    /** @param reserved bytes of the bound for what passes have in hand */
    ResidentBase(BaseMemoryLimit memory, long reserved) {
        this.bounded = memory.isBounded();
        this.room = memory.bytes() - reserved;
    }

    /**
     * That of a model of which {@code passes} pass at once.
     *
     * @throws org.sparkqlora.input.BadInputException if {@code memory} is less than they need
     */
    static ResidentBase of(BaseMemoryLimit memory, ModelConfig config, ModelSpec spec, int passes) {
        if (memory.isBounded()) {
            Natives.returnLargeBlocks();
        }

        return new ResidentBase(memory.require(config, spec, passes), BaseMemoryLimit.smallest(config, spec, passes));
    }

    /** A layer that was asked for. */
    private record Ahead(int layer, CompletableFuture<Void> reading) {
        private static final Ahead NOTHING = new Ahead(-1, CompletableFuture.completedFuture(null));
    }

    /** Whether there is room for {@code bytes} more to stay, which is then taken. */
    boolean keeps(long bytes) {
        if (bytes > room) {
            return false;
        }

        room -= bounded ? bytes : 0;
        return true;
    }

    /** A matrix of a layer that is not kept, over these pages. */
    BaseMatrix page(int layer, BaseMatrix matrix, List<MappedPages> pages) {
        pagesOfLayer.computeIfAbsent(layer, key -> new ArrayList<>()).addAll(pages);
        if (matrix instanceof BaseMatrix.Uploaded upload) {
            uploadsOfLayer.computeIfAbsent(layer, key -> new ArrayList<>()).add(upload);
        }

        return new BaseMatrix.Paged(matrix, () -> pages.forEach(MappedPages::ask), () -> pages.forEach(this::giveBack));
    }

    /** Copies layers to {@code device}; one at a time, as it has one reader. */
    CopyStream copies(Device device) {
        CopyStream stream = copies == null ? CopyStream.on(device) : copies;
        copies = stream;
        return stream;
    }

    boolean isBounded() {
        return bounded;
    }

    /** Whether a layer is not resident whole. */
    boolean pages() {
        return !pagesOfLayer.isEmpty();
    }

    /**
     * Asks for what of {@code layer} was not kept, which is soon used: it is read, and copied to a device, while another layer computes.
     * Fails if the last such reading did.
     */
    void ask(int layer) {
        List<MappedPages> pages = pagesOfLayer.get(layer);
        Ahead last = ahead;
        if (pages == null || last.layer() == layer) {
            return;
        }

        if (last.reading().isDone()) {
            last.reading().join();
        }

        ahead = new Ahead(layer, CompletableFuture.runAsync(() -> pages.forEach(MappedPages::ask), reader));
        uploadsOfLayer.getOrDefault(layer, List.of()).forEach(upload -> upload.ask(reader));
    }

    /** Gives back the pages of a part of a mapped weight that was used. */
    void giveBack(Tensor part) {
        giveBack(MappedPages.of(part));
    }

    /** Bytes given back so far: each is read again when it is used again, from the page cache or the disk. */
    long bytesGivenBack() {
        return givenBack.get();
    }

    private void giveBack(MappedPages pages) {
        pages.giveBack();
        givenBack.addAndGet(pages.bytes());
    }

    @Override
    public void close() {
        reader.shutdown();
        ahead.reading().handle((done, failure) -> failure).join();
        uploadsOfLayer.values().forEach(uploads -> uploads.forEach(BaseMatrix.Uploaded::close));
        if (copies != null) {
            copies.close();
        }
    }
}
