package org.sparkqlora.optim;

import java.nio.ByteBuffer;

/** Values as they are, in the byte order of the page. */
enum Float32Format implements StateFormat {
    INSTANCE;

    @Override
    public int byteSize(int count) {
        return Float.BYTES * count;
    }

    @Override
    public void decode(ByteBuffer page, float[] target, int at, int count) {
        page.asFloatBuffer().get(target, at, count);
        page.position(page.position() + byteSize(count));
    }

    @Override
    public void encode(float[] source, int from, int count, ByteBuffer page) {
        page.asFloatBuffer().put(source, from, count);
        page.position(page.position() + byteSize(count));
    }
}
