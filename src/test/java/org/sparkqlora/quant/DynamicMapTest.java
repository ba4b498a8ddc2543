package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

@NullMarked
class DynamicMapTest {
    @Test
    void signedMapEqualsThatOfBitsandbytesBitForBit() {
        assertThat(DynamicMap.signed()).isEqualTo(recorded("dynamic_map_signed.txt"));
    }

    @Test
    void unsignedMapEqualsThatOfBitsandbytesBitForBit() {
        assertThat(DynamicMap.unsigned()).isEqualTo(recorded("dynamic_map_unsigned.txt"));
    }

    /** Nine digits name a float32 exactly. */
    private static float[] recorded(String name) {
        double[] values = GoldenFile.text("bnb-4bit/" + name)
                .lines()
                .mapToDouble(Float::parseFloat)
                .toArray();
        float[] map = new float[values.length];
        for (int i = 0; i < map.length; i++) {
            map[i] = (float) values[i];
        }

        return map;
    }
}
