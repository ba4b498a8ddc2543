package org.sparkqlora.memory;

import java.util.List;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.cuda.GpuMemoryException;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.PassingBound;

/** On the processor, which says that it has no room. */
class ScarceRoomTest extends ScarceRoomContract {
    @Override
    Hardware device() {
        return Hardware.operationsOnProcessor();
    }

    @Override
    BoundModel scarce(BoundModel bound, int rows, long bytes) {
        return new Small(bound, rows);
    }

    private record Small(BoundModel bound, int rows) implements PassingBound {
        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            if (microBatch.size() > rows) {
                throw new GpuMemoryException("no room for %d rows".formatted(microBatch.size()));
            }

            return bound.addGradient(microBatch, gradient, passSeed);
        }

        @Override
        public void close() {}
    }
}
