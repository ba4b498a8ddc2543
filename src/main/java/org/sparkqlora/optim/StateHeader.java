package org.sparkqlora.optim;

import java.io.ByteArrayOutputStream;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import org.sparkqlora.input.BadInputException;

/** The header of saved state: its optimiser and size. */
record StateHeader(String kind, long elements, long bytes) {
    static StateHeader of(OptimizerSpec spec, long elements, long bytes) {
        return new StateHeader(spec.kind().unpaged().optionName(), elements, bytes);
    }

    static StateHeader read(DataInput input) throws IOException {
        return new StateHeader(input.readUTF(), input.readLong(), input.readLong());
    }

    void write(DataOutput output) throws IOException {
        output.writeUTF(kind);
        output.writeLong(elements);
        output.writeLong(bytes);
    }

    byte[] toBytes() {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        try {
            write(new DataOutputStream(written));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }

        return written.toByteArray();
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
