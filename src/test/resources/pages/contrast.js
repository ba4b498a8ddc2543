(function () {
  function channels(color) {
    return color.match(/[0-9.]+/g).map(Number);
  }
  function luminance(color) {
    return channels(color).slice(0, 3).reduce(function (sum, value, i) {
      var share = value / 255;
      var linear = share <= 0.03928 ? share / 12.92 : Math.pow((share + 0.055) / 1.055, 2.4);
      return sum + linear * [0.2126, 0.7152, 0.0722][i];
    }, 0);
  }
  function behind(element) {
    for (var at = element; at; at = at.parentElement) {
      var color = getComputedStyle(at).backgroundColor;
      if (channels(color)[3] !== 0) { return color; }
    }
    return 'rgb(255, 255, 255)';
  }
  var lowest = 21;
  document.querySelectorAll('#qlora *').forEach(function (element) {
    var texts = Array.prototype.some.call(element.childNodes, function (node) {
      return node.nodeType === 3 && node.textContent.trim() !== '';
    });
    if (!texts || element.closest('title, desc, style, script')) { return; }
    var style = getComputedStyle(element);
    var one = luminance(element.closest('svg') ? style.fill : style.color);
    var two = luminance(behind(element));
    lowest = Math.min(lowest, (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05));
  });
  return lowest;
})()
