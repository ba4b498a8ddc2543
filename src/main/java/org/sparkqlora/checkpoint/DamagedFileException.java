package org.sparkqlora.checkpoint;

import java.io.IOException;

/** A file that could be read and is not what was written: another length, or other bytes. */
final class DamagedFileException extends IOException {
    private static final long serialVersionUID = 1L;

    DamagedFileException(String message) {
        super(message);
    }
}
