import type { Bilingual } from '../base/problem.js';

const both = (vi: string, en: string): Bilingual => ({ vi, en });

export const WORDS = {
  signIn: both('Đăng nhập', 'Sign in'),
  signInLead: both(
    'Dành cho cán bộ, công chức có tài khoản truy cập.',
    'For officials who hold an access account.',
  ),
  name: both('Tên đăng nhập', 'User name'),
  password: both('Mật khẩu', 'Password'),
  code: both('Mã một lần', 'One-time code'),
  codeTitle: both('Xác nhận bằng mã một lần', 'Confirm with a one-time code'),
  codeLead: both(
    'Mở ứng dụng xác thực trên điện thoại và nhập 6 chữ số của tài khoản này.',
    'Open the authenticator application on your telephone and enter the 6 digits of this account.',
  ),
  passwordLost: both(
    'Quên mật khẩu? Liên hệ đơn vị vận hành để được đặt lại.',
    'Forgot the password? Ask the operating unit to have it reset.',
  ),
  codeLost: both(
    'Mất điện thoại? Liên hệ đơn vị vận hành để được đặt lại.',
    'Lost the telephone? Ask the operating unit to have it reset.',
  ),
  newTitle: both('Đặt mật khẩu mới', 'Choose a new password'),
  newLead: both(
    'Mật khẩu vừa dùng là mật khẩu tạm. Hãy đặt mật khẩu chỉ mình bạn biết.',
    'The password you used is a temporary one. Choose one that only you know.',
  ),
  newPassword: both('Mật khẩu mới', 'New password'),
  again: both('Nhập lại mật khẩu mới', 'The new password again'),
  enrolTitle: both('Bật xác thực hai bước', 'Turn on two-step sign-in'),
  enrolLead: both(
    'Vai trò của bạn cần thêm mã một lần khi đăng nhập. Trên điện thoại, mở một ứng dụng xác thực (ví dụ Google Authenticator, Microsoft Authenticator) và quét hình này, rồi nhập 6 chữ số mà ứng dụng hiện ra.',
    'Your role needs a one-time code when you sign in. On your telephone, open an authenticator application (for example Google Authenticator, Microsoft Authenticator) and scan this picture, then enter the 6 digits that it shows.',
  ),
  enrolByHand: both(
    'Không quét được? Nhập khóa này vào ứng dụng:',
    'Cannot scan? Type this key into the application:',
  ),
  enrolHere: both(
    'Đang dùng chính điện thoại đó? Mở bằng ứng dụng xác thực',
    'Reading this on that telephone? Open the authenticator application',
  ),
  qr: both('Hình mã QR để quét bằng ứng dụng xác thực', 'QR code for an authenticator application'),
  rulesTitle: both('Quy định sử dụng', 'Rules of use'),
  rulesLead: both('Đọc và đồng ý trước khi tiếp tục.', 'Read and accept before you go on.'),
  rulesAccept: both('Tôi đã đọc và đồng ý thực hiện', 'I have read them and will keep to them'),
  external: both('Đăng nhập qua', 'Sign in with'),
  next: both('Tiếp tục', 'Continue'),
  cancel: both('Hủy bỏ', 'Cancel'),
  signOut: both('Đăng xuất', 'Sign out'),
  signOutTitle: both('Đăng xuất khỏi nền tảng?', 'Sign out of the platform?'),
  signOutLead: both(
    'Phiên làm việc của bạn trên trình duyệt này sẽ kết thúc. Nếu chưa muốn, hãy đóng trang này.',
    'Your session in this browser will end. If you do not want that yet, close this page.',
  ),
  outTitle: both('Bạn đã đăng xuất', 'You are signed out'),
  outLead: both('Có thể đóng cửa sổ này.', 'You may close this window.'),
  overTitle: both('Lần đăng nhập này không còn dùng được', 'This sign-in is over'),
  overLead: both(
    'Đã quá thời gian, hoặc trang này được mở ở trình duyệt khác. Hãy quay lại ứng dụng và đăng nhập lại.',
    'Its time has passed, or it was begun in another browser. Go back to the application and sign in again.',
  ),
  failedTitle: both('Không đăng nhập được', 'You cannot be signed in'),
  failedLead: both(
    'Yêu cầu của ứng dụng không hợp lệ. Hãy quay lại ứng dụng và thử lại; nếu vẫn lỗi, báo cho đơn vị vận hành.',
    'The request of the application is not valid. Go back to it and try again; if it fails again, tell the operating unit.',
  ),
  laterLead: both(
    'Nền tảng tạm thời không ghi được nhật ký nên không cho đăng nhập. Hãy thử lại sau ít phút.',
    'The platform cannot write its record just now, so nobody is signed in. Try again in a few minutes.',
  ),
  errorCode: both('Mã lỗi:', 'Error:'),
  faults: both('Chưa tiếp tục được', 'Not yet'),
  signingIn: both('Đăng nhập với tên', 'Signing in as'),
  hint: both(
    'Ít nhất {n} ký tự; không chứa tên của bạn, không dễ đoán, chưa từng dùng. Nên dùng một câu dài, dễ nhớ.',
    'At least {n} characters, without your name, not easily guessed and never used before. A long sentence that you remember is best.',
  ),
} as const;

export const FAULTS = {
  wrong: both('Tên đăng nhập hoặc mật khẩu không đúng.', 'The user name or the password is not right.'),
  wrongCode: both(
    'Mã một lần không đúng hoặc đã được dùng. Chờ ứng dụng hiện mã mới rồi nhập mã đó.',
    'The one-time code is not right, or was used before. Wait for the next one and enter that.',
  ),
  notInForce: both(
    'Tài khoản đang bị khóa, chưa đến hạn hoặc đã hết thời hạn. Liên hệ đơn vị vận hành.',
    'The account is locked, not valid yet or past its term. Ask the operating unit.',
  ),
  changed: both(
    'Mật khẩu hoặc mã một lần của tài khoản vừa được thay đổi. Hãy đăng nhập lại từ đầu.',
    'The password or second factor of the account was changed a moment ago. Sign in again.',
  ),
  temporaryOver: both(
    'Mật khẩu tạm đã hết hạn. Liên hệ đơn vị vận hành để được cấp mật khẩu mới.',
    'The temporary password has expired. Ask the operating unit for a new one.',
  ),
  externalUnknown: both(
    'Bạn đã được xác thực ở nơi khác, nhưng chưa có tài khoản dùng được ở đây. Liên hệ đơn vị vận hành.',
    'You were recognised elsewhere, but have no account that works here. Ask the operating unit.',
  ),
  externalFailed: both(
    'Nơi xác thực kia không trả lời hoặc không xác nhận được. Hãy thử lại, hoặc dùng mật khẩu.',
    'The other provider does not answer or did not confirm. Try again, or use a password.',
  ),
  unequal: both('Hai lần nhập mật khẩu mới không giống nhau.', 'The two new passwords are not the same.'),
  used: both('Mật khẩu này đã được dùng trước đây.', 'This password was used before.'),
  accept: both('Cần đồng ý với quy định sử dụng để tiếp tục.', 'The rules of use must be accepted to go on.'),
} as const;

/** @param until - milliseconds since the epoch */
export function lockedFault(until: number, now: number): Bilingual {
  const minutes = Math.max(1, Math.ceil((until - now) / 60_000));
  return both(
    `Sai quá nhiều lần. Thử lại sau ${minutes} phút. Cần gấp thì liên hệ đơn vị vận hành.`,
    `Too many wrong attempts. Try again in ${minutes} minute${minutes === 1 ? '' : 's'}, or ask the operating unit.`,
  );
}
