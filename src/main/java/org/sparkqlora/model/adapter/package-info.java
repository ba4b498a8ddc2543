/** Initial factors of adapters that are taken out of a weight (PiSSA, OLoRA), and dropout of their inputs. */
@NullMarked
package org.sparkqlora.model.adapter;

import org.jspecify.annotations.NullMarked;
