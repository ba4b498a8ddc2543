package org.sparkqlora.optim;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Locale;
import org.sparkqlora.input.BadInputException;

/** What stands before saved state, to tell whose it is. */
record StateHeader(String kind, long elements, long bytes) {
    static StateHeader of(OptimizerSpec spec, long elements, long bytes) {
        return new StateHeader(spec.kind().unpaged().label(), elements, bytes);
    }

    static StateHeader read(DataInput input) throws IOException {
        return new StateHeader(input.readUTF(), input.readLong(), input.readLong());
    }

    void write(DataOutput output) throws IOException {
        output.writeUTF(kind);
        output.writeLong(elements);
        output.writeLong(bytes);
    }

    void require(StateHeader found) {
        if (!equals(found)) {
            throw new BadInputException(
                    "Cannot load optimiser state: expected %s, found %s".formatted(describe(), found.describe()));
        }
    }

    private String describe() {
        return String.format(Locale.ROOT, "%s of %d parameters in %d bytes", kind, elements, bytes);
    }
}
