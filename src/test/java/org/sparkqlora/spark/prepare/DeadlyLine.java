package org.sparkqlora.spark.prepare;

import org.sparkqlora.tokenizer.EncodedDocuments;

/** Dies at one line, as a process might. */
record DeadlyLine(String fingerprint, String deadly) implements LineEncoderSource {
    @Override
    public LineEncoder open() {
        LineEncoder numbers = new NumbersEncoder(fingerprint).open();
        return new LineEncoder() {
            @Override
            public EncodedDocuments documents(String line) {
                if (line.equals(deadly)) {
                    throw new IllegalStateException("died at " + line);
                }

                return numbers.documents(line);
            }

            @Override
            public void close() {
                numbers.close();
            }
        };
    }
}
