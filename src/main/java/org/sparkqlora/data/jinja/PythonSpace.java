package org.sparkqlora.data.jinja;

/** White space as Python's strings see it. */
final class PythonSpace {
    private PythonSpace() {}

    static boolean is(int codePoint) {
        return switch (codePoint) {
            case 0x1c, 0x1d, 0x1e, 0x1f, 0x85, 0xa0, 0x2007, 0x202f -> true;
            default -> Character.isWhitespace(codePoint);
        };
    }
}
