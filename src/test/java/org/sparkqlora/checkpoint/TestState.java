package org.sparkqlora.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.SplittableRandom;
import org.sparkqlora.storage.BlobWriter;

/** A stand-in for the state of a training: the step, and noise of its own that takes more than one write. */
final class TestState {
    static final int NOISE_BYTES = 200_000;

    private TestState() {}

    static BlobWriter of(long step) {
        return out -> {
            out.writeLong(step);
            out.write(noise(step));
        };
    }

    static byte[] noise(long step) {
        byte[] bytes = new byte[NOISE_BYTES];
        new SplittableRandom(step).nextBytes(bytes);
        return bytes;
    }

    static void assertIn(Checkpoint checkpoint, long step) throws IOException {
        assertThat(checkpoint.step()).isEqualTo(step);
        try (DataInputStream in = checkpoint.openState()) {
            assertThat(in.readLong()).isEqualTo(step);
            assertThat(in.readAllBytes()).isEqualTo(noise(step));
        }
    }
}
