package org.sparkqlora.storage;

import java.io.IOException;

/** A file that could be read and is not what was written: another length, or other bytes. */
public final class DamagedFileException extends IOException {
    private static final long serialVersionUID = 1L;

    public DamagedFileException(String message) {
        super(message);
    }
}
