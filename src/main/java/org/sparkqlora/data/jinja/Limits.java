package org.sparkqlora.data.jinja;

/**
 * What one rendering may use, so that a bad template ends with an error.
 *
 * @param outputChars chars written, those of blocks that are kept in variables included
 * @param iterations passes through loops, all loops together
 * @param depth nesting of expressions, blocks and macro calls
 */
public record Limits(int outputChars, int iterations, int depth) {
    /** Far above what any conversation needs. */
    public static final Limits DEFAULT = new Limits(64 << 20, 1_000_000, 200);
}
