package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import scala.Option;

class ScalaMethodTest {
    /** As Scala compiles a method of which a later line added two parameters in the middle and one at the end. */
    public static final class Later {
        public String put(
                String name, boolean isTold, Option<String> ttl, boolean isVisible, Integer count, boolean last) {
            return name + isTold + ttl + isVisible + count + last;
        }

        public Option<String> put$default$3() {
            return Option.apply("hour");
        }

        public boolean put$default$4() {
            return true;
        }

        public boolean put$default$6() {
            return true;
        }

        public void fail() throws IOException {
            throw new IOException("full");
        }
    }

    @Test
    void parametersOfALaterLineTakeTheirDefaults() throws Exception {
        assertThat(ScalaMethod.call(new Later(), "put", "a", false, 7)).isEqualTo("afalseSome(hour)true7true");
    }

    @Test
    void argumentsGoToTheParametersThatTheyFit() throws Exception {
        assertThat(ScalaMethod.call(new Later(), "put", "a", false, Option.empty(), false, 7, false))
                .isEqualTo("afalseNonefalse7false");
    }

    @Test
    void aMethodThatTakesLessIsNamed() {
        assertThatThrownBy(() -> ScalaMethod.call(new Later(), "put", "a", false, 7, "more"))
                .isInstanceOf(NoSuchMethodException.class)
                .hasMessageContaining("put with [a, false, 7, more]");
        assertThatThrownBy(() -> ScalaMethod.call(new Later(), "take"))
                .isInstanceOf(NoSuchMethodException.class)
                .hasMessageContaining("take of");
    }

    @Test
    void whatTheMethodThrowsComesAsItIs() {
        assertThatThrownBy(() -> ScalaMethod.call(new Later(), "fail"))
                .isInstanceOf(IOException.class)
                .hasMessage("full");
    }
}
