package org.sparkqlora.spark.prepare;

/** A hash of 64 bits (FNV-1a over ids) by which equal documents are found. */
final class DocumentHash {
    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    private DocumentHash() {}

    static long of(int[] ids) {
        long hash = FNV_OFFSET;
        for (int id : ids) {
            hash = (hash ^ id) * FNV_PRIME;
        }

        return hash;
    }
}
